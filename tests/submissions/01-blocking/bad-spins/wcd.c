/* wcd PORT, which never listens, and is busy with nothing. */
int main(void)
{
    volatile unsigned long n = 0;

    for (;;)
        n++;
}
