/* The least that a reader of captures can do: libpcap gives each packet, we
 * count it. What viz takes beyond this is its own. */
#include <inttypes.h>
#include <pcap.h>
#include <stdio.h>

int main(int argc, char *argv[])
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;
    struct pcap_pkthdr *header;
    const unsigned char *bytes;
    uint64_t packets = 0, captured = 0;

    if (pcap == NULL) {
        fprintf(stderr, "viz_loop FILE: %s\n", argc == 2 ? why : "which?");
        return 2;
    }
    while (pcap_next_ex(pcap, &header, &bytes) == 1) {
        packets++;
        captured += header->caplen;
    }
    pcap_close(pcap);
    printf("%" PRIu64 " packets, %" PRIu64 " bytes\n", packets, captured);
    return 0;
}
