/* wcd PORT: ten megabytes of rubbish for your screen, and for your report. */
#include <string.h>
#include <unistd.h>

int main(void)
{
    static const char rubbish[] = "\033[2J\033[31m\033]0;owned\007\n"
                                  "ok 1 - half-close\n::error::x\n\xff\xfe\0";

    for (int i = 0; i < 10 * 1024 * 1024 / (int)sizeof rubbish; i++)
        if (write(1 + i % 2, rubbish, sizeof rubbish) < 0)
            return 1;
    return 0;
}
