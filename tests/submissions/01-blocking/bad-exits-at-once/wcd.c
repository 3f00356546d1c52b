/* wcd PORT, which has nothing to do. */
int main(void)
{
    return 0;
}
