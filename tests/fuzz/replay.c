/* Feeds a fuzz target each file named, or in a folder named, and each prefix of the small ones. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "unit/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PREFIXES_UP_TO = 1024 };

static size_t files;

static void feed(const uint8_t *data, size_t size)
{
    struct guard input = guard_copy(data, size);
    LLVMFuzzerTestOneInput((const uint8_t *)input.p, size);
    guard_free(&input);
}

static void replay_file(const char *path, size_t size)
{
    uint8_t *data = malloc(size + 1);
    FILE *f = fopen(path, "rb");
    if (!f || !data || fread(data, 1, size, f) != size) {
        perror(path);
        exit(2);
    }
    fclose(f);
    feed(data, size);
    if (size <= PREFIXES_UP_TO)
        for (size_t n = 0; n < size; n++)
            feed(data, n);
    free(data);
    files++;
}

static void replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        perror(path);
        exit(2);
    }
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path, (size_t)st.st_size);
        return;
    }
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char *child;
        if (entries[i]->d_name[0] != '.' &&
            asprintf(&child, "%s/%s", path, entries[i]->d_name) > 0) {
            replay(child);
            free(child);
        }
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%zu files\n", files);
    return 0;
}
