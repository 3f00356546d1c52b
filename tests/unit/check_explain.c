/*
 * Everything that the screen can name has its text: each verdict and kind,
 * each state, each move of a state, each of the 512 sorts of segment; and what
 * the stored captures hold.
 */
#include <check.h>
#include <string.h>

#include "tests/unit/frames.h"
#include "viz/explain/explain.h"
#include "viz/track/track.h"

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
    static const char *const kinds[] = {"syn", "rto", "tlp", "fast",
                                        "spurious"};
    const struct explanation *any = explain_verdict(VERDICT_RETRANSMISSION,
                                                    NULL);

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct explanation *text = explain_verdict(VERDICT_RETRANSMISSION,
                                                         kinds[i]);

        ck_whole(text, kinds[i]);
        ck_assert_ptr_ne(text, any);
    }
    ck_assert_ptr_eq(explain_verdict(VERDICT_RETRANSMISSION, "new"), any);
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
            for (int v = 0; v < note.verdict_count; v++) {
                const struct verdict *verdict = &note.verdicts[v];
                const struct explanation *text = explain_verdict(verdict->name,
                                                                 verdict->kind);

                must(text != NULL);
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
    tcase_add_test(tests, every_word_of_evidence_has_its_sentence);
    tcase_add_test(tests, every_state_has_its_text);
    tcase_add_test(tests, every_move_between_two_states_has_its_cause);
    tcase_add_test(tests, every_combination_of_flags_has_its_text);
    tcase_add_test(tests, what_is_no_segment_has_its_text);
    tcase_add_test(tests, nothing_in_the_captures_is_without_a_text);
    return run_suite("explain", tests);
}
