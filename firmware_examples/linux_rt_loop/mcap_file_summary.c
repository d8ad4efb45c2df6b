/* The end of an MCAP file: schemas, channels, statistics, the index of all chunks, and where each begins. */
#define _FILE_OFFSET_BITS 64
#include "mcap_file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "mcap_file_bytes.h"

#define OPCODE_FOOTER 0x02U
#define OPCODE_SCHEMA 0x03U
#define OPCODE_CHANNEL 0x04U
#define OPCODE_CHUNK 0x06U
#define OPCODE_MESSAGE_INDEX 0x07U
#define OPCODE_CHUNK_INDEX 0x08U
#define OPCODE_STATISTICS 0x0BU
#define OPCODE_SUMMARY_OFFSET 0x0EU
#define OPCODE_DATA_END 0x0FU
#define RECORD_HEAD 9U
#define GROUPS 4U
#define INDEX_BYTES (RECORD_HEAD + 60U + 4U + (MCAP_CHANNELS * 10U)) /* of a chunk's index, at most */
#define ENDING 128U /* more than the offsets' records, or the footer and what follows, take */

static const uint8_t magic[8] = { 0x89U, 'M', 'C', 'A', 'P', 0x30U, '\r', '\n' };

/* Records of one opcode, one after the other. */
typedef struct {
    uint8_t opcode;
    uint64_t start;
    uint64_t end;
} group;

/* A chunk that was found, and the indexes of its messages that follow it. */
typedef struct {
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t offset;
    uint64_t length;
    uint64_t size; /* of its messages */
    uint64_t index_offset[MCAP_CHANNELS];
    uint16_t index_channel[MCAP_CHANNELS];
    uint32_t indexes;
    uint64_t index_length;
} found_chunk;

static int append_statistics(mcap_file *file)
{
    const uint32_t channels = file->content->channel_count;
    uint64_t messages = 0U;
    for (uint32_t i = 0U; i < channels; ++i) {
        messages += file->messages[i];
    }
    uint8_t *at = mcap_put_record(file->room.records, OPCODE_STATISTICS, 46U + (channels * 10U));
    at = mcap_put_u16(mcap_put_u64(at, messages), (uint16_t)channels);
    at = mcap_put_u32(mcap_put_u32(mcap_put_u32(at, channels), 0U), 0U); /* attachments, metadata */
    at = mcap_put_u32(at, file->chunks);
    at = mcap_put_u64(mcap_put_u64(at, file->first_ns), file->last_ns);
    at = mcap_put_u32(at, channels * 10U);
    for (uint32_t i = 0U; i < channels; ++i) {
        at = mcap_put_u64(mcap_put_u16(at, (uint16_t)(i + 1U)), file->messages[i]);
    }
    return mcap_file_append(file, file->room.records, (size_t)(at - file->room.records));
}

static uint8_t *put_chunk_index(uint8_t *at, const found_chunk *chunk)
{
    at = mcap_put_record(at, OPCODE_CHUNK_INDEX, 64U + (chunk->indexes * 10U));
    at = mcap_put_u64(mcap_put_u64(at, chunk->start_ns), chunk->end_ns);
    at = mcap_put_u64(mcap_put_u64(at, chunk->offset), chunk->length);
    at = mcap_put_u32(at, chunk->indexes * 10U);
    for (uint32_t i = 0U; i < chunk->indexes; ++i) {
        at = mcap_put_u64(mcap_put_u16(at, chunk->index_channel[i]), chunk->index_offset[i]);
    }
    at = mcap_put_text(mcap_put_u64(at, chunk->index_length), "");
    return mcap_put_u64(mcap_put_u64(at, chunk->size), chunk->size);
}

/* Take a record of the file's data into account: its first bytes, its offset and its length. */
static void take(found_chunk *chunk, const uint8_t *head, uint64_t offset, uint64_t length)
{
    if (head[0] == OPCODE_CHUNK) {
        memset(chunk, 0, sizeof(*chunk));
        chunk->start_ns = mcap_get_u64(head + RECORD_HEAD);
        chunk->end_ns = mcap_get_u64(head + RECORD_HEAD + 8U);
        chunk->size = mcap_get_u64(head + RECORD_HEAD + 16U);
        chunk->offset = offset;
        chunk->length = length;
    } else if ((head[0] == OPCODE_MESSAGE_INDEX) && (chunk->indexes < MCAP_CHANNELS)) {
        memcpy(&chunk->index_channel[chunk->indexes], head + RECORD_HEAD, 2U);
        chunk->index_offset[chunk->indexes] = offset;
        chunk->index_length += length;
        ++chunk->indexes;
    }
}

/* Find the chunks between two offsets, and append their indexes, a buffer at a time. */
static int append_chunk_indexes(mcap_file *file, uint64_t data_end)
{
    uint8_t *const buffer = file->room.records;
    uint8_t *at = buffer;
    uint8_t head[MCAP_CHUNK_HEAD];
    found_chunk chunk;
    uint32_t chunks = 0U;
    memset(&chunk, 0, sizeof(chunk));
    for (uint64_t offset = sizeof(magic); offset < data_end;) {
        memset(head, 0, sizeof(head));
        if (pread(file->file, head, sizeof(head), (off_t)offset) < (ssize_t)RECORD_HEAD) {
            return EIO;
        }
        if ((head[0] == OPCODE_CHUNK) && (chunks++ != 0U)) {
            at = put_chunk_index(at, &chunk);
        }
        if ((size_t)(at - buffer) > (file->room.record_size - INDEX_BYTES)) {
            const int error = mcap_file_append(file, buffer, (size_t)(at - buffer));
            if (error != 0) {
                return error;
            }
            at = buffer;
        }
        const uint64_t length = RECORD_HEAD + mcap_get_u64(head + 1U);
        take(&chunk, head, offset, length);
        offset += length;
    }
    if (chunks != 0U) {
        at = put_chunk_index(at, &chunk);
    }
    return mcap_file_append(file, buffer, (size_t)(at - buffer));
}

static int append_group(mcap_file *file, group *one, uint64_t data_end)
{
    uint8_t *const buffer = file->room.records;
    int error = 0;
    one->start = file->size;
    if (one->opcode == OPCODE_STATISTICS) {
        error = append_statistics(file);
    } else if (one->opcode == OPCODE_CHUNK_INDEX) {
        error = append_chunk_indexes(file, data_end);
    } else {
        const uint32_t schemas = (one->opcode == OPCODE_SCHEMA) ? 1U : 0U;
        const uint8_t *const end = mcap_file_put_channels(file->content, buffer, schemas);
        error = mcap_file_append(file, buffer, (size_t)(end - buffer));
    }
    one->end = file->size;
    return error;
}

/* Where each group is, and the footer, whose CRC is of the summary and of the footer up to it. */
static int append_ending(mcap_file *file, const group *groups, uint64_t summary)
{
    uint8_t ending[ENDING];
    const uint64_t offsets = file->size;
    uint8_t *at = ending;
    for (uint32_t i = 0U; i < GROUPS; ++i) {
        if (groups[i].end > groups[i].start) {
            at = mcap_put_u8(mcap_put_record(at, OPCODE_SUMMARY_OFFSET, 17U), groups[i].opcode);
            at = mcap_put_u64(mcap_put_u64(at, groups[i].start), groups[i].end - groups[i].start);
        }
    }
    int error = mcap_file_append(file, ending, (size_t)(at - ending));
    if (error != 0) {
        return error;
    }
    at = mcap_put_u64(mcap_put_u64(mcap_put_record(ending, OPCODE_FOOTER, 20U), summary), offsets);
    const uint32_t crc = mcap_crc32(file->crc, ending, (size_t)(at - ending));
    at = mcap_put(mcap_put_u32(at, crc), magic, sizeof(magic));
    return mcap_file_append(file, ending, (size_t)(at - ending));
}

int mcap_file_put_summary(mcap_file *file)
{
    group groups[GROUPS] = {
        { OPCODE_SCHEMA, 0U, 0U },
        { OPCODE_CHANNEL, 0U, 0U },
        { OPCODE_STATISTICS, 0U, 0U },
        { OPCODE_CHUNK_INDEX, 0U, 0U },
    };
    const uint64_t data_end = file->size;
    uint8_t *const end = mcap_put_u32(mcap_put_record(file->room.records, OPCODE_DATA_END, 4U), file->crc);
    int error = mcap_file_append(file, file->room.records, (size_t)(end - file->room.records));
    const uint64_t summary = file->size;
    file->crc = 0U;
    for (uint32_t i = 0U; (i < GROUPS) && (error == 0); ++i) {
        error = append_group(file, &groups[i], data_end);
    }
    return (error != 0) ? error : append_ending(file, groups, summary);
}
