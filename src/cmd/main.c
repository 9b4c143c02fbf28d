/* The program's entry; everything else is in cmd_main, which tests can link. */
#include "cmd/cmd.h"

int main(int argc, char **argv)
{
    return cmd_main(argc, (const char *const *)argv);
}
