#include "page.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The size of a page goes into a file; a file's pages exist before the loop begins, as memset touches them. */
static page *map(const char *path)
{
    const int handle = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (handle < 0) {
        return NULL;
    }
    void *memory = MAP_FAILED;
    if (ftruncate(handle, (off_t)sizeof(page)) == 0) {
        memory = mmap(NULL, sizeof(page), PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    }
    const int failed = errno;
    (void)close(handle);
    errno = failed;
    return (memory == MAP_FAILED) ? NULL : (page *)memory;
}

page *page_open(const char *path)
{
    static page own;
    page *const opened = (path == NULL) ? &own : map(path);
    if (opened != NULL) {
        memset(opened, 0, sizeof(*opened));
        opened->version = PAGE_VERSION;
        opened->observations = CONTROLLER_OBSERVATIONS;
        opened->actions = CONTROLLER_ACTIONS;
        opened->bytes = (uint32_t)sizeof(page);
        __atomic_store_n(&opened->magic, PAGE_MAGIC, __ATOMIC_RELEASE);
    }
    return opened;
}

void page_begin(page *page)
{
    __atomic_store_n(&page->sequence, page->sequence + 1U, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

void page_end(page *page)
{
    __atomic_store_n(&page->sequence, page->sequence + 1U, __ATOMIC_RELEASE);
}
