/*
 * The reader's filter: what passes, what is refused with a sentence, and
 * rubbish, which must do no harm.
 */
#include <check.h>
#include <string.h>

#include "tests/unit/frames.h"
#include "viz/events/filter.h"

static struct filter filter;
static char why[200];

/* How many packets of the capture pass. */
static int passing(const char *capture, const char *text)
{
    struct frames frames;
    struct track *track = track_new(0);
    int count = 0;

    ck_assert_msg(filter_read(&filter, text, why, sizeof why) == 0, "%s: %s",
                  text, why);
    frames_load(&frames, capture);
    for (size_t n = 0; n < frames.count; n++) {
        struct packet packet = frame_packet(&frames, n);
        struct note note = {0};

        must(track_feed(track, &packet, &note) == 0);
        count += filter_passes(&filter, &packet, &note);
    }
    track_free(track);
    frames_free(&frames);
    return count;
}

static void refused(const char *text, const char *part)
{
    struct filter before = filter;

    ck_assert_msg(filter_read(&filter, text, why, sizeof why) < 0, "%s", text);
    ck_assert_msg(strstr(why, part), "%s: %s", text, why);
    ck_assert_mem_eq(&before, &filter, sizeof filter);
}

START_TEST(each_term_lets_its_packets_pass)
{
    ck_assert_int_eq(passing("s01_client_close", ""), 11);
    ck_assert_int_eq(passing("s01_client_close", "tcp"), 11);
    ck_assert_int_eq(passing("s01_client_close", "udp"), 0);
    ck_assert_int_eq(passing("s01_client_close", "port 8080"), 11);
    ck_assert_int_eq(passing("s01_client_close", "port 8081"), 0);
    ck_assert_int_eq(passing("s01_client_close", "host 127.0.0.1"), 11);
    ck_assert_int_eq(passing("s01_client_close", "host ::1"), 0);
    ck_assert_int_eq(passing("s01_client_close", "flag:S"), 2);
    ck_assert_int_eq(passing("s01_client_close", "flag:SA"), 1);
    ck_assert_int_eq(passing("s01_client_close", "flag:fin"), 2);
    ck_assert_int_eq(passing("s01_client_close", "data"), 2);
    ck_assert_int_eq(passing("s01_client_close", "state:time_wait"), 2);
    ck_assert_int_eq(passing("s08_backlog_full", "verdict:retransmission"),
                     passing("s08_backlog_full", "VERDICT:RETRANSMISSION"));
    ck_assert_int_gt(passing("s08_backlog_full", "verdict:retransmission"), 0);
    ck_assert_int_eq(passing("s07_udp_closed", "icmp"), 2);
}
END_TEST

START_TEST(terms_are_joined_as_one_reads_them)
{
    ck_assert_int_eq(passing("s01_client_close", "tcp flag:S"), 2);
    ck_assert_int_eq(passing("s01_client_close", "tcp and not flag:S"), 9);
    ck_assert_int_eq(passing("s01_client_close", "flag:S or flag:F"), 4);
    ck_assert_int_eq(passing("s01_client_close", "!(flag:S or flag:F)"), 7);
    ck_assert_int_eq(passing("s01_client_close", "flag:S or flag:F data"), 2);
    ck_assert_int_eq(passing("s01_client_close", "(flag:S or flag:F) data"), 0);
    ck_assert_int_eq(passing("s01_client_close", "not not tcp"), 11);
}
END_TEST

START_TEST(a_bad_filter_is_refused_with_a_sentence_and_the_old_one_kept)
{
    passing("s01_client_close", "flag:S");
    refused("tpc", "tpc is no term");
    refused("port", "from 1 to 65535");
    refused("port 0", "from 1 to 65535");
    refused("port 65536", "65535");
    refused("port x", "not x");
    refused("host banana", "an address");
    refused("state:OPEN", "OPEN is no state");
    refused("flag:X", "X is no flag");
    refused("flag:", "letters");
    refused("verdict:bad", "bad is no verdict");
    refused("tcp or", "ends where a term should stand");
    refused("( tcp", "A ) is missing");
    refused("tcp )", "too many");
    refused("((((((((((((((((((tcp))))))))))))))))))", "too deep");
    refused("tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp tcp "
            "tcp tcp tcp tcp tcp tcp",
            "too many terms");
    ck_assert_str_eq(filter.text, "flag:S");
}
END_TEST

/* Words and signs in any order, and mutations of what is right. */
START_TEST(random_mutations_do_no_harm)
{
    static const char *const words[] = {"tcp",
                                        "udp",
                                        "port",
                                        "7001",
                                        "host",
                                        "127.0.0.1",
                                        "state:LISTEN",
                                        "or",
                                        "and",
                                        "not",
                                        "!",
                                        "(",
                                        ")",
                                        "flag:SA",
                                        "::1",
                                        "data",
                                        "\xFF",
                                        "state:",
                                        "verdict:refused",
                                        ""};
    struct packet packet = {.protocol = PROTO_TCP, .has_transport = true};
    struct note note = {0};
    uint64_t seed = 7;
    int good = 0;

    for (int run = 0; run < 200000; run++) {
        char text[FILTER_TEXT + 40] = "";
        uint32_t count = next_random(&seed) % 12;
        size_t length = 0;

        for (uint32_t i = 0; i < count; i++) {
            const char *word =
                words[next_random(&seed) % (sizeof words / sizeof words[0])];

            length += (size_t)snprintf(text + length, sizeof text - length,
                                       "%s%s", word, i % 3 ? " " : "");
            if (length >= sizeof text)
                length = sizeof text - 1;
        }
        if (length > 0 && run % 2)
            text[next_random(&seed) % length] = (char)next_random(&seed);
        why[0] = '\0';
        if (filter_read(&filter, text, why, sizeof why) == 0) {
            filter_passes(&filter, &packet, &note);
            good++;
        } else {
            must(why[0] != '\0');
        }
    }
    ck_assert_int_gt(good, 1000);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("filter");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, each_term_lets_its_packets_pass);
    tcase_add_test(tests, terms_are_joined_as_one_reads_them);
    tcase_add_test(
        tests, a_bad_filter_is_refused_with_a_sentence_and_the_old_one_kept);
    tcase_add_test(tests, random_mutations_do_no_harm);
    return run_suite("filter", tests);
}
