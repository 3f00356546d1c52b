/*
 * Everything that the screen can name has its text: each verdict and kind,
 * each state, each move of a state, each of the 512 sorts of segment; and what
 * the stored captures hold.
 */
#include <check.h>
#include <string.h>

#include "tests/unit/frames.h"
#include "viz/explain/explain.h"
#include "viz/track/icmp_errno.h"

static bool is_prose(const char *text)
{
    size_t length = text ? strlen(text) : 0;

    return length > 10 && length < 280 && strchr(".?:", text[length - 1]);
}

/* Sentences, not too long for a pane, and an RFC to look at. */
static void ck_whole(const struct explanation *text, const char *of)
{
    if (!text || !is_prose(text->what) || !is_prose(text->why) ||
        !is_prose(text->call) || !is_prose(text->deeper) ||
        strncmp(text->rfc, "RFC ", 4) != 0)
        ck_abort_msg("no whole text for %s: %s", of, text ? text->what : "");
}

START_TEST(every_verdict_has_its_text)
{
    for (int name = 0; name < VERDICT_NAMES; name++)
        ck_whole(explain_verdict((enum verdict_name)name, NULL),
                 verdict_text((enum verdict_name)name));
    ck_assert_ptr_null(explain_verdict(VERDICT_NAMES, NULL));
}
END_TEST

START_TEST(every_kind_of_retransmission_has_a_text_of_its_own)
{
    static const char *const kinds[] = {"syn",  "rto",      "tlp",
                                        "fast", "spurious", "dsack"};
    const struct explanation *any = explain_verdict(VERDICT_RETRANSMISSION,
                                                    NULL);

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct explanation *text = explain_verdict(VERDICT_RETRANSMISSION,
                                                         kinds[i]);

        ck_whole(text, kinds[i]);
        ck_assert_ptr_ne(text, any);
    }
    ck_assert_ptr_eq(explain_verdict(VERDICT_RETRANSMISSION, "new"), any);
    ck_whole(explain_verdict(VERDICT_ZERO_WINDOW, "answer"), "answer");
    ck_assert_ptr_ne(explain_verdict(VERDICT_ZERO_WINDOW, "answer"),
                     explain_verdict(VERDICT_ZERO_WINDOW, NULL));
}
END_TEST

START_TEST(every_kind_of_reset_has_its_text)
{
    for (int kind = RESET_REFUSED; kind <= RESET_NO_SOCKET; kind++) {
        ck_assert_ptr_nonnull(reset_text((enum reset_kind)kind));
        ck_whole(explain_reset((enum reset_kind)kind),
                 reset_text((enum reset_kind)kind));
    }
    ck_assert_ptr_null(reset_text((enum reset_kind)(RESET_NO_SOCKET + 1)));
    ck_assert_ptr_null(explain_reset(RESET_NONE));
    ck_assert_ptr_null(explain_reset((enum reset_kind)99));
}
END_TEST

static void ck_errno(const char *name)
{
    for (int now = 0; now < 2; now++)
        for (int tcp = 0; tcp < 2; tcp++)
            if (!is_prose(explain_errno(name, tcp, now)))
                ck_abort_msg("no text for %s", name);
}

START_TEST(every_errno_that_a_packet_brings_has_its_sentence)
{
    static const uint8_t protocols[] = {PROTO_ICMP, PROTO_ICMP6};

    for (int i = 0; i < 2; i++)
        for (int type = 0; type < 256; type++)
            for (int code = 0; code < 256; code++) {
                struct icmp_errno got = icmp_errno(protocols[i], (uint8_t)type,
                                                   (uint8_t)code);

                if (got.name)
                    ck_errno(got.name);
            }
    ck_errno("ECONNRESET"); /* what resets bring */
    ck_errno("EPIPE");
    ck_assert_ptr_null(explain_errno("EWHAT", true, true));
    ck_assert_ptr_null(explain_errno(NULL, true, true));
}
END_TEST

START_TEST(every_vantage_and_side_of_a_loss_has_its_sentence)
{
    for (int vantage = 0; vantage <= VANTAGE_MIDDLE; vantage++) {
        const char *where = explain_vantage((enum flow_vantage)vantage);

        must(strncmp(where, "captured", 8) == 0 && strlen(where) < 50);
        must(is_prose(explain_vantage_more((enum flow_vantage)vantage)));
    }
    ck_assert(is_prose(explain_lost("before")));
    ck_assert(is_prose(explain_lost("after")));
    ck_assert_str_ne(explain_lost("before"), explain_lost("after"));
    ck_assert_ptr_null(explain_lost("beside"));
    ck_assert_ptr_null(explain_lost(NULL));
}
END_TEST

START_TEST(what_is_special_about_a_segment_is_remarked)
{
    struct packet packet = {.protocol = PROTO_TCP, .has_transport = true};
    struct note note = {.super_segment = true, .pieces = 45};
    const char *cookie;

    ck_assert_ptr_nonnull(
        strstr(explain_remark(&packet, &note, 0), "--mtu 1500"));
    ck_assert_ptr_null(explain_remark(&packet, &note, 1));
    note = (struct note){0};
    packet.payload_length = 20000;
    ck_assert_ptr_nonnull(
        strstr(explain_remark(&packet, &note, 0), "Ethernet"));
    packet.payload_length = 0;
    note = (struct note){.dsack = true};
    ck_assert_ptr_nonnull(strstr(explain_remark(&packet, &note, 0), "D-SACK"));
    note.dsack = false;
    ck_assert_ptr_null(explain_remark(&packet, &note, 0));
    packet.tcp.options.has = OPT_FASTOPEN;
    packet.tcp.flags = TCP_SYN;
    cookie = explain_remark(&packet, &note, 0);
    ck_assert_ptr_nonnull(strstr(cookie, "asks for a Fast Open cookie"));
    packet.payload_length = 5;
    ck_assert_str_ne(explain_remark(&packet, &note, 0), cookie);
    packet.tcp.flags = TCP_SYN | TCP_ACK;
    ck_assert_ptr_nonnull(strstr(explain_remark(&packet, &note, 0), "brings"));
    packet.protocol = PROTO_UDP;
    ck_assert_ptr_null(explain_remark(&packet, &note, 0));
}
END_TEST

START_TEST(an_ack_that_comes_late_is_remarked)
{
    const struct packet packet = {.protocol = PROTO_TCP,
                                  .has_transport = true,
                                  .tcp = {.flags = TCP_ACK}};
    struct flow flow = {.initial_rtt_ns = 20000000};
    struct note note = {.flow = &flow, .ack_rtt_ns = 61000000};

    ck_assert_ptr_nonnull(strstr(explain_remark(&packet, &note, 0), "Nagle"));
    note.ack_rtt_ns = 21000000;
    ck_assert_ptr_null(explain_remark(&packet, &note, 0));
}
END_TEST

START_TEST(every_word_of_evidence_has_its_sentence)
{
    static const char *const words[] = {"ipid", "tsval", "dsack", "vantage",
                                        "timing"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        ck_assert_ptr_nonnull(explain_evidence(words[i]));
    ck_assert_ptr_null(explain_evidence("hearsay"));
    ck_assert_ptr_null(explain_evidence(NULL));
}
END_TEST

START_TEST(every_state_has_its_text)
{
    for (int state = 0; state < TCP_STATES; state++)
        ck_whole(explain_state((enum tcp_state)state),
                 tcp_state_name((enum tcp_state)state));
    ck_assert_ptr_eq(explain_state((enum tcp_state)99),
                     explain_state(TCP_UNKNOWN));
}
END_TEST

START_TEST(every_move_between_two_states_has_its_cause)
{
    int edges = 0;

    for (int before = 0; before < TCP_STATES; before++) {
        for (int after = 1; after < TCP_STATES; after++) {
            const struct explain_change *change = explain_change(
                (enum tcp_state)before, (enum tcp_state)after);

            if (before == after)
                continue;
            must(change != NULL && strlen(change->cause) > 10);
            must(change->call != NULL && strncmp(change->rfc, "RFC ", 4) == 0);
            edges += explain_is_edge((enum tcp_state)before,
                                     (enum tcp_state)after);
        }
    }
    ck_assert_int_eq(edges, 21); /* figure 5, CLOSED's and close()'s with it */
}
END_TEST

START_TEST(every_combination_of_flags_has_its_text)
{
    for (int flags = 0; flags < 256; flags++) {
        int extras = 0;

        for (int payload = 0; payload < 2; payload++)
            ck_whole(explain_flags((uint8_t)flags, payload), "flags");
        while (explain_extra_flag((uint8_t)flags, extras))
            extras++;
        must(extras == __builtin_popcount(
                           flags & (TCP_PSH | TCP_URG | TCP_ECE | TCP_CWR)));
    }
    ck_assert_ptr_ne(explain_flags(TCP_FIN | TCP_ACK, false),
                     explain_flags(TCP_FIN | TCP_ACK | TCP_SYN, false));
    ck_assert_ptr_ne(explain_flags(TCP_ACK, false),
                     explain_flags(TCP_ACK, true));
    ck_assert_ptr_eq(explain_flags(TCP_PSH | TCP_ACK, true),
                     explain_flags(TCP_ACK, true));
}
END_TEST

START_TEST(what_is_no_segment_has_its_text)
{
    struct packet packet = {.source.family = 4, .has_transport = true};

    for (int protocol = 0; protocol < 256; protocol++) {
        packet.protocol = (uint8_t)protocol;
        for (int type = 0; type < 256; type++) {
            packet.icmp.type = (uint8_t)type;
            packet.icmp.code = 3;
            ck_whole(explain_other(&packet), "another packet");
        }
    }
    packet.protocol = PROTO_UDP;
    ck_assert_ptr_nonnull(
        strstr(explain_other(&packet)->what, "without a byte"));
    packet.payload_length = 5;
    ck_assert_ptr_nonnull(strstr(explain_other(&packet)->what, "one message"));
    packet.fragment_offset = 1480;
    ck_assert_ptr_nonnull(
        strstr(explain_other(&packet)->what, "further piece"));
    packet.source.family = 0;
    ck_assert_ptr_nonnull(
        strstr(explain_other(&packet)->what, "does not read"));
    packet.type = TYPE_ARP;
    ck_whole(explain_other(&packet), "ARP");
    ck_assert_ptr_nonnull(
        strstr(explain_other(&packet)->what, "which network card"));
}
END_TEST

/* A kind or an evidence that track has learnt and explain has not. */
START_TEST(nothing_in_the_captures_is_without_a_text)
{
    int verdicts = 0;

    for (size_t i = 0; i < STORED_CAPTURES; i++) {
        struct frames frames;
        struct track *track = track_new(0);

        frames_load(&frames, stored_captures[i]);
        for (size_t n = 0; n < frames.count; n++) {
            struct packet packet = frame_packet(&frames, n);
            struct note note = {0};

            must(track_feed(track, &packet, &note) == 0);
            must(note.reset == RESET_NONE || explain_reset(note.reset));
            must(!note.error || explain_errno(note.error, true, true));
            for (int v = 0; v < note.verdict_count; v++) {
                const struct verdict *verdict = &note.verdicts[v];
                const struct explanation *text = explain_verdict(verdict->name,
                                                                 verdict->kind);

                must(text != NULL);
                must(!verdict->lost || explain_lost(verdict->lost));
                must(!verdict->evidence || explain_evidence(verdict->evidence));
                must(!verdict->kind ||
                     text != explain_verdict(verdict->name, NULL));
                verdicts++;
            }
        }
        track_free(track);
        frames_free(&frames);
    }
    ck_assert_int_gt(verdicts, 20);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("explain");

    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, every_verdict_has_its_text);
    tcase_add_test(tests, every_kind_of_retransmission_has_a_text_of_its_own);
    tcase_add_test(tests, every_kind_of_reset_has_its_text);
    tcase_add_test(tests, every_errno_that_a_packet_brings_has_its_sentence);
    tcase_add_test(tests, every_vantage_and_side_of_a_loss_has_its_sentence);
    tcase_add_test(tests, what_is_special_about_a_segment_is_remarked);
    tcase_add_test(tests, an_ack_that_comes_late_is_remarked);
    tcase_add_test(tests, every_word_of_evidence_has_its_sentence);
    tcase_add_test(tests, every_state_has_its_text);
    tcase_add_test(tests, every_move_between_two_states_has_its_cause);
    tcase_add_test(tests, every_combination_of_flags_has_its_text);
    tcase_add_test(tests, what_is_no_segment_has_its_text);
    tcase_add_test(tests, nothing_in_the_captures_is_without_a_text);
    return run_suite("explain", tests);
}
