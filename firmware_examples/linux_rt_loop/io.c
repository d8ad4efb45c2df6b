#include "io.h"

#include <string.h>

static const io_kind *const kinds[] = { &io_lines, &io_udp, &io_serial, &io_can, &io_mailbox };

const io_kind *io_find(const char *url, const char **address)
{
    for (size_t i = 0U; i < (sizeof(kinds) / sizeof(kinds[0])); ++i) {
        const size_t length = strlen(kinds[i]->scheme);
        if (strncmp(url, kinds[i]->scheme, length) != 0) {
            continue;
        }
        const char *const rest = &url[length];
        if ((*rest == '\0') || (strncmp(rest, "://", 3U) == 0)) {
            *address = (*rest == '\0') ? rest : &rest[3];
            return kinds[i];
        }
    }
    return NULL;
}
