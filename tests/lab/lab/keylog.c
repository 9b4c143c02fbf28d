/* Writes the secrets of each TLS connection to $SSLKEYLOGFILE, for a program that does not:
 *
 *     gcc -shared -fPIC -o keylog.so keylog.c -lssl
 *     LD_PRELOAD=./keylog.so SSLKEYLOGFILE=keys.log kamailio
 *
 * The format is NSS's: one line per secret, each written at once, so programs can share a file.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static void write_line(const SSL *ssl, const char *line)
{
    (void)ssl;
    const char *path = getenv("SSLKEYLOGFILE");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND, 0644) : -1;
    struct iovec parts[] = {{(char *)line, strlen(line)}, {"\n", 1}};
    if (fd >= 0 && writev(fd, parts, 2) < 0) {
        abort();
    }
    close(fd);
}

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
    SSL_CTX *(*real)(const SSL_METHOD *) = dlsym(RTLD_NEXT, "SSL_CTX_new");
    SSL_CTX *made = real(method);
    if (made) {
        SSL_CTX_set_keylog_callback(made, write_line);
    }
    return made;
}
