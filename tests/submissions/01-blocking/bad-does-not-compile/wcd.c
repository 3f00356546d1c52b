/* wcd PORT, not finished. */
int main(void)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0)
    return 0;
}
