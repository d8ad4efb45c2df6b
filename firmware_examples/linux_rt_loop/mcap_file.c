#define _FILE_OFFSET_BITS 64 /* files of more than 2 GiB on 32-bit machines too */
#include "mcap_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mcap_file_bytes.h"

#define OPCODE_HEADER 0x01U
#define OPCODE_SCHEMA 0x03U
#define OPCODE_CHANNEL 0x04U
#define OPCODE_MESSAGE 0x05U
#define OPCODE_CHUNK 0x06U
#define OPCODE_MESSAGE_INDEX 0x07U
#define RECORD_HEAD 9U
#define INDEX_ENTRY 16U
#define SMALL_RECORDS 512U /* more than header, statistics, offsets, footer and magic take */

static const uint8_t magic[8] = { 0x89U, 'M', 'C', 'A', 'P', 0x30U, '\r', '\n' };

static size_t schema_length(const mcap_channel *channel)
{
    return 2U + mcap_text_size(channel->name) + mcap_text_size("ros2msg") + mcap_text_size(channel->text);
}

static size_t facts_length(const mcap_content *content)
{
    size_t length = 0U;
    for (uint32_t i = 0U; i < content->fact_count; ++i) {
        length += mcap_text_size(content->facts[i].name) + mcap_text_size(content->facts[i].value);
    }
    return length;
}

static size_t channel_length(const mcap_content *content, const mcap_channel *channel)
{
    return 4U + mcap_text_size(channel->topic) + mcap_text_size("cdr") + 4U + facts_length(content);
}

size_t mcap_file_record_size(const mcap_content *content, uint32_t place_count)
{
    size_t channels = SMALL_RECORDS + mcap_text_size(content->library);
    for (uint32_t i = 0U; i < content->channel_count; ++i) {
        channels += RECORD_HEAD + schema_length(&content->channels[i]);
        channels += RECORD_HEAD + channel_length(content, &content->channels[i]);
    }
    const size_t index = (place_count * INDEX_ENTRY) + (content->channel_count * (RECORD_HEAD + 6U));
    return (channels > index) ? channels : index;
}

/* Schemas or channels, one record each. */
uint8_t *mcap_file_put_channels(const mcap_content *content, uint8_t *at, uint32_t schemas)
{
    for (uint32_t i = 0U; i < content->channel_count; ++i) {
        const mcap_channel *const channel = &content->channels[i];
        const uint16_t id = (uint16_t)(i + 1U);
        if (schemas != 0U) {
            at = mcap_put_u16(mcap_put_record(at, OPCODE_SCHEMA, schema_length(channel)), id);
            at = mcap_put_text(mcap_put_text(at, channel->name), "ros2msg");
            at = mcap_put_text(at, channel->text);
            continue;
        }
        at = mcap_put_u16(mcap_put_record(at, OPCODE_CHANNEL, channel_length(content, channel)), id);
        at = mcap_put_text(mcap_put_text(mcap_put_u16(at, id), channel->topic), "cdr");
        at = mcap_put_u32(at, (uint32_t)facts_length(content));
        for (uint32_t fact = 0U; fact < content->fact_count; ++fact) {
            at = mcap_put_text(mcap_put_text(at, content->facts[fact].name), content->facts[fact].value);
        }
    }
    return at;
}

int mcap_file_append(mcap_file *file, const uint8_t *bytes, size_t count)
{
    size_t done = 0U;
    while (done < count) {
        const ssize_t written = write(file->file, bytes + done, count - done);
        if (written >= 0) {
            done += (size_t)written;
        } else if (errno != EINTR) {
            const int error = errno;
            /* A part of a record would stand before whatever comes next. */
            if ((ftruncate(file->file, (off_t)file->size) != 0) ||
                (lseek(file->file, (off_t)file->size, SEEK_SET) < 0)) {
                file->broken = 1U;
            }
            return error;
        }
    }
    file->size += count;
    file->crc = mcap_crc32(file->crc, bytes, count);
    return 0;
}

/* Have the disk know of the file's name. */
static int sync_folder(const char *path)
{
    char copy[PATH_MAX];
    if (strlen(path) >= sizeof(copy)) {
        return ENAMETOOLONG;
    }
    strcpy(copy, path);
    const int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return errno;
    }
    const int error = (fsync(folder) == 0) ? 0 : errno;
    (void)close(folder);
    return (error == EINVAL) ? 0 : error; /* a file system without that has nothing to be told */
}

static int put_beginning(mcap_file *file)
{
    const mcap_content *const content = file->content;
    uint8_t *at = mcap_put(file->room.records, magic, sizeof(magic));
    at = mcap_put_record(at, OPCODE_HEADER, mcap_text_size("ros2") + mcap_text_size(content->library));
    at = mcap_put_text(mcap_put_text(at, "ros2"), content->library);
    at = mcap_file_put_channels(content, mcap_file_put_channels(content, at, 1U), 0U);
    return mcap_file_append(file, file->room.records, (size_t)(at - file->room.records));
}

/* Remove an earlier log; what is no file, a device for example, stays. 0 or an errno. */
static int remove_earlier(const char *path)
{
    struct stat there;
    if (lstat(path, &there) != 0) {
        return (errno == ENOENT) ? 0 : errno;
    }
    if (!S_ISREG(there.st_mode)) {
        return EEXIST;
    }
    return (unlink(path) == 0) ? 0 : errno;
}

int mcap_file_create(mcap_file *file, const char *path, uint32_t overwrite, const mcap_content *content,
                     const mcap_room *room)
{
    memset(file, 0, sizeof(*file));
    file->content = content;
    file->room = *room;
    file->used = MCAP_CHUNK_HEAD;
    file->file = -1;
    int error = (overwrite != 0U) ? remove_earlier(path) : 0;
    if (error != 0) {
        return error;
    }
    file->file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file->file < 0) {
        return errno;
    }
    error = put_beginning(file);
    if (error == 0) {
        error = sync_folder(path);
    }
    if (error != 0) {
        (void)close(file->file);
        (void)unlink(path);
        file->file = -1;
    }
    return error;
}

uint8_t *mcap_file_message(mcap_file *file, uint32_t channel, uint32_t sequence, uint64_t time_ns, size_t size)
{
    const mcap_room *const room = &file->room;
    const size_t record = MCAP_MESSAGE_HEAD + size;
    if ((file->placed == room->place_count) || (record > (room->chunk_size - file->used))) {
        return NULL;
    }
    mcap_place *const place = &room->places[file->placed];
    place->time_ns = time_ns;
    place->offset = file->used - MCAP_CHUNK_HEAD;
    place->channel = channel;
    uint8_t *at = mcap_put_record(room->chunk + file->used, OPCODE_MESSAGE, record - RECORD_HEAD);
    at = mcap_put_u32(mcap_put_u16(at, (uint16_t)(channel + 1U)), sequence);
    at = mcap_put_u64(mcap_put_u64(at, time_ns), time_ns);
    file->earliest_ns = ((file->placed == 0U) || (time_ns < file->earliest_ns)) ? time_ns : file->earliest_ns;
    file->latest_ns = ((file->placed == 0U) || (time_ns > file->latest_ns)) ? time_ns : file->latest_ns;
    ++file->placed;
    file->used += record;
    return at;
}

/* Where the messages of each channel stand; returns the bytes of the records. */
static size_t put_message_indexes(mcap_file *file)
{
    uint8_t *at = file->room.records;
    for (uint32_t channel = 0U; channel < file->content->channel_count; ++channel) {
        uint8_t *const head = at;
        uint8_t *const entries = head + RECORD_HEAD + 6U;
        uint8_t *next = entries;
        for (uint32_t i = 0U; i < file->placed; ++i) {
            const mcap_place *const place = &file->room.places[i];
            if (place->channel == channel) {
                next = mcap_put_u64(mcap_put_u64(next, place->time_ns), place->offset);
            }
        }
        if (next != entries) {
            const uint32_t bytes = (uint32_t)(next - entries);
            uint8_t *const id = mcap_put_record(head, OPCODE_MESSAGE_INDEX, (uint64_t)bytes + 6U);
            (void)mcap_put_u32(mcap_put_u16(id, (uint16_t)(channel + 1U)), bytes);
            at = next;
        }
    }
    return (size_t)(at - file->room.records);
}

static void count_chunk(mcap_file *file)
{
    const uint32_t first = (file->chunks == 0U) ? 1U : 0U;
    file->first_ns = ((first != 0U) || (file->earliest_ns < file->first_ns)) ? file->earliest_ns : file->first_ns;
    file->last_ns = ((first != 0U) || (file->latest_ns > file->last_ns)) ? file->latest_ns : file->last_ns;
    ++file->chunks;
    for (uint32_t i = 0U; i < file->placed; ++i) {
        ++file->messages[file->room.places[i].channel];
    }
}

static void put_chunk_head(mcap_file *file)
{
    uint8_t *const records = file->room.chunk + MCAP_CHUNK_HEAD;
    const size_t size = file->used - MCAP_CHUNK_HEAD;
    uint8_t *at = mcap_put_record(file->room.chunk, OPCODE_CHUNK, file->used - RECORD_HEAD);
    at = mcap_put_u64(mcap_put_u64(at, file->earliest_ns), file->latest_ns);
    at = mcap_put_u32(mcap_put_u64(at, size), mcap_crc32(0U, records, size));
    (void)mcap_put_u64(mcap_put_text(at, ""), size);
}

int mcap_file_end_chunk(mcap_file *file)
{
    if (file->placed == 0U) {
        return 0;
    }
    put_chunk_head(file);
    int error = mcap_file_append(file, file->room.chunk, file->used);
    if (error == 0) {
        count_chunk(file);
        /* Without its index the chunk still counts: whoever reads it finds its messages. */
        error = mcap_file_append(file, file->room.records, put_message_indexes(file));
    }
    file->used = MCAP_CHUNK_HEAD;
    file->placed = 0U;
    return error;
}

int mcap_file_sync(const mcap_file *file)
{
    return (fdatasync(file->file) == 0) ? 0 : errno;
}

int mcap_file_finish(mcap_file *file)
{
    if (file->file < 0) {
        return 0;
    }
    int error = mcap_file_end_chunk(file);
    const uint64_t whole = file->size;
    const int unfinished = (file->broken != 0U) ? EIO : mcap_file_put_summary(file);
    if ((unfinished != 0) && (ftruncate(file->file, (off_t)whole) == 0)) {
        file->size = whole;
    }
    error = (error != 0) ? error : unfinished;
    const int unsynced = mcap_file_sync(file);
    error = (error != 0) ? error : unsynced;
    if ((close(file->file) != 0) && (error == 0)) {
        error = errno;
    }
    file->file = -1;
    return error;
}
