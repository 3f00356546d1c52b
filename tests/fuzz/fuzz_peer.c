/*
 * What the other side sends into common/: a stream that is to be cut into
 * messages, an address in words, an address as the kernel gives it. Promises:
 * the same messages, and the same end, however the stream was cut, those that a
 * reader written apart finds; nothing over the limit, no memory for what was
 * only promised; an address in words is printable and means the same address.
 *
 *   0-0x7f: a stream: bits 0-2 how (lines, or the bytes of a length), bit 3:
 *   its bytes are few, the limit, then pieces: a length, that many bytes
 *   0x80: words, a byte each; 0xa0: words; 0xc0: two addresses
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "common/frame.h"
#include "common/net.h"
#include "tests/fuzz/fuzz.h"

/* --- streams -------------------------------------------------------------- */

/* What came out of a stream. */
struct told {
    uint64_t sum; /* over all messages */
    size_t count, partial;
    bool broken;
};

JUDGE static void tell(struct told *told, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;

    told->sum = (told->sum ^ length) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < length; i++)
        told->sum = (told->sum ^ at[i]) * UINT64_C(0x100000001b3);
    told->count++;
}

JUDGE static struct told expected_lines(const uint8_t *bytes, size_t length,
                                        size_t limit)
{
    struct told told = {0};
    size_t from = 0, size;

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\n')
            continue;
        size = i - from;
        size -= size > 0 && bytes[i - 1] == '\r';
        told.broken = size > limit;
        if (told.broken)
            return told;
        tell(&told, bytes + from, size);
        from = i + 1;
    }
    size = length - from;
    told.broken = size > limit + 1 ||
                  (size == limit + 1 && bytes[length - 1] != '\r');
    told.partial = size;
    return told;
}

JUDGE static struct told expected_sized(const uint8_t *bytes, size_t length,
                                        unsigned prefix, size_t limit)
{
    struct told told = {0};
    size_t from = 0;

    while (length - from >= prefix) {
        uint64_t size = 0;
        unsigned char header[8];

        for (unsigned i = 0; i < prefix; i++)
            size = size * 256 + bytes[from + i];
        told.broken = size > limit;
        if (told.broken)
            return told;
        must(frame_header(header, prefix, size) == 0);
        must(memcmp(header, bytes + from, prefix) == 0);
        if (length - from - prefix < size)
            break;
        tell(&told, bytes + from + prefix, size);
        from += prefix + size;
    }
    told.partial = length - from;
    return told;
}

struct reader {
    struct frame frame;
    struct told told;
};

static void open_reader(struct reader *reader, unsigned prefix, size_t limit)
{
    reader->told = (struct told){0};
    if (prefix == 0)
        frame_lines(&reader->frame, limit);
    else
        must(frame_sized(&reader->frame, prefix, limit) == 0);
}

/* One read(2)'s worth, in memory of its own. */
static void read_piece(struct reader *reader, const uint8_t *bytes,
                       size_t length)
{
    struct frame *frame = &reader->frame;
    char *copy = malloc(length > 0 ? length : 1), *data = copy, *message;
    size_t left = length, size;
    int got;

    must(copy != NULL);
    memcpy(copy, bytes, length);
    while ((got = frame_next(frame, &data, &left, &message, &size)) == 1) {
        must(!reader->told.broken);
        must(size <= frame->limit);
        must(frame->prefix != 0 || message[size] == '\0');
        must(data + left == copy + length);
        tell(&reader->told, message, size);
    }
    if (got < 0) {
        must(errno == EMSGSIZE);
        reader->told.broken = true;
    } else {
        must(!reader->told.broken && left == 0);
    }
    must(frame->part.room <= 4096 + 2 * frame->part.length);
    must(frame->part.room <= (frame->limit + 8) * 3 / 2 + 1 ||
         frame->part.room <= 64);
    free(copy);
}

static void must_be(struct reader *reader, const struct told *expected)
{
    const struct told *told = &reader->told;

    must(told->count == expected->count && told->sum == expected->sum);
    must(told->broken == expected->broken);
    if (!told->broken)
        must(frame_partial(&reader->frame) == expected->partial);
    frame_fini(&reader->frame);
}

/* Whole, as the input cuts it, and byte by byte. */
static void check_stream(uint8_t how, struct input *input)
{
    enum { MOST_BYTES = 4096 };
    static const unsigned prefixes[8] = {0, 1, 2, 4, 8, 0, 0, 1};
    static uint8_t bytes[MOST_BYTES];
    uint8_t most = input_u8(input);
    size_t limit = most < 240 ? most : (size_t)1 << (most - 240) * 4;
    unsigned prefix = prefixes[how & 7];
    size_t length = 0;
    struct reader whole, cut, bitwise;
    struct told expected;

    open_reader(&whole, prefix, limit);
    open_reader(&cut, prefix, limit);
    open_reader(&bitwise, prefix, limit);
    while (input->left > 0) {
        struct input part = input_part(input, input_u8(input));
        size_t from = length;

        while (part.left > 0 && length < MOST_BYTES) {
            uint8_t byte = input_u8(&part);

            bytes[length++] = how & 8 ? (uint8_t) "\r\n\n\0\1\2ab"[byte % 8]
                                      : byte;
        }
        read_piece(&cut, bytes + from, length - from);
    }
    read_piece(&whole, bytes, length);
    for (size_t i = 0; i < length; i++)
        read_piece(&bitwise, bytes + i, 1);
    expected = prefix == 0 ? expected_lines(bytes, length, limit)
                           : expected_sized(bytes, length, prefix, limit);
    must_be(&whole, &expected);
    must_be(&cut, &expected);
    must_be(&bitwise, &expected);
}

/* --- addresses ------------------------------------------------------------ */

static void check_text(const struct net_address *address,
                       char text[NET_ADDRESS_TEXT])
{
    memset(text, 'x', NET_ADDRESS_TEXT);
    must(net_address_text(address, text) == text);
    must(strnlen(text, NET_ADDRESS_TEXT) < NET_ADDRESS_TEXT);
    must(is_printable(text, strlen(text), ""));
    must(net_address_port(address) <= 65535);
    must(net_address_equal(address, address));
}

/* What is said of it is read as the same address. */
static void check_again(const struct net_address *address, const char *text)
{
    struct net_address again;

    must(net_address_parse(&again, text) == 0);
    must(net_address_equal(address, &again) &&
         net_address_equal(&again, address));
}

/* No byte that is shown as another. */
JUDGE static bool is_plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

/* In place of the machine's own (if_nametoindex(3)): one interface, number 1, on
 * every machine. */
unsigned if_nametoindex(const char *name)
{
    return strcmp(name, "lo") == 0;
}

char *if_indextoname(unsigned index, char name[IF_NAMESIZE])
{
    if (index == 1)
        return memcpy(name, "lo", 3);
    errno = ENXIO;
    return NULL;
}

/* A number behind % is that number. */
JUDGE static void check_scope(const struct net_address *address,
                              const char *text)
{
    const char *scope = strchr(text, '%');
    uint64_t number = 0;

    if (address->any.sa_family != AF_INET6 || scope == NULL)
        return;
    must(address->in6.sin6_scope_id != 0);
    for (scope++; *scope >= '0' && *scope <= '9'; scope++)
        if (number < UINT32_MAX)
            number = number * 10 + (uint64_t)(*scope - '0');
    if (*scope == ']')
        must(number == address->in6.sin6_scope_id);
}

static void check_words(const char *words)
{
    struct net_address address, before;
    char text[NET_ADDRESS_TEXT];

    memset(&address, 0xa5, sizeof address);
    before = address;
    errno = 0;
    if (net_address_parse(&address, words) != 0) {
        must(errno == EINVAL || errno == ENAMETOOLONG);
        must(memcmp(&address, &before, sizeof address) == 0);
        return;
    }
    check_text(&address, text);
    check_scope(&address, words);
    if (address.any.sa_family != AF_UNIX) {
        must(address.any.sa_family == AF_INET ||
             address.any.sa_family == AF_INET6);
        must(strcspn(text, "?") == strlen(text));
    }
    if (is_plain(words, strlen(words)))
        check_again(&address, text);
}

/* The rest of the input, as words a byte each, or as it is. */
static void read_words(struct input *input, bool known)
{
    static const char *const words[] = {
        "127.0.0.1", "0",     "1",          "255",
        "256",       ".",     ":",          "7001",
        "65535",     "65536", "[",          "]",
        "::",        "::1",   "fe80::",     "ffff:",
        "%",         "lo",    "4294967295", "@",
        "unix:",     "/",     "./",         "a",
        "\xff",      "*",     " ",          "\x1b[31m",
        "localhost", "-",     "?",          "long/long/long/long/"};
    char text[600], *copy;
    size_t length = 0;

    while (input->left > 0 && length < sizeof text - 32) {
        uint8_t byte = input_u8(input);

        if (!known)
            text[length++] = (char)byte;
        else
            length += (size_t)snprintf(
                text + length, sizeof text - length, "%s",
                words[byte % (sizeof words / sizeof *words)]);
    }
    text[length] = '\0';
    copy = strdup(text); /* so that a byte too many is seen */
    must(copy != NULL);
    check_words(copy);
    free(copy);
}

/* As accept(2) gives it: the length may say more than there was room for. */
static void read_kernel(struct net_address *address, struct input *input)
{
    static const sa_family_t families[] = {AF_INET, AF_INET6, AF_UNIX,
                                           AF_UNSPEC};
    uint8_t family = input_u8(input);
    size_t room = sizeof *address - offsetof(struct net_address, any);
    struct input part;

    memset(address, 0, sizeof *address);
    address->length = input_u8(input);
    part = input_part(input, address->length < room ? address->length : room);
    memcpy(&address->any, part.at, part.left);
    if (family < 0xc0)
        address->any.sa_family = families[family % 4];
}

JUDGE static bool is_plain_path(const struct net_address *address)
{
    const char *path = address->un.sun_path;
    size_t length = strnlen(path, sizeof address->un.sun_path);

    if (length == 0 || length == sizeof address->un.sun_path || *path == '@')
        return false;
    if (address->length < offsetof(struct sockaddr_un, sun_path) + length)
        return false;
    return is_plain(path, length);
}

static void check_kernel(struct input *input)
{
    struct net_address one, other;
    char text[NET_ADDRESS_TEXT], text_other[NET_ADDRESS_TEXT];

    read_kernel(&one, input);
    read_kernel(&other, input);
    check_text(&one, text);
    check_text(&other, text_other);
    must(net_address_equal(&one, &other) == net_address_equal(&other, &one));
    if (net_address_equal(&one, &other))
        must(strcmp(text, text_other) == 0);
    if (strcmp(text, "none") == 0)
        must(net_address_port(&one) == 0);
    else if (one.any.sa_family != AF_UNIX || is_plain_path(&one))
        check_again(&one, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    uint8_t how = input_u8(&input);

    if (how < 0x80)
        check_stream(how, &input);
    else if (how < 0xc0)
        read_words(&input, how < 0xa0);
    else
        check_kernel(&input);
    return 0;
}
