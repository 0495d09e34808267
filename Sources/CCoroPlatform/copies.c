#define _GNU_SOURCE
#include "coro_copies.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Whether this copy is used. Other copies find it by the note below. */
uint32_t coro_copy_is_used __attribute__((visibility("hidden")));

/* A note is part of the program wherever the code is, and no linker leaves it out. Its content: the layout of what follows, and
   where the word is, from there. */
#define NOTE_NAME "libcoro"
enum { NOTE_TYPE = 1 };
__asm__(".pushsection .note.libcoro,\"a\",%note\n"
        ".balign 4\n"
        ".long 8, 4, 1\n"
        ".asciz \"" NOTE_NAME "\"\n"
        ".long coro_copy_is_used - .\n"
        ".popsection\n");

/* The word of the copy that has its note in this segment; NULL: none has. */
static uint32_t *find_word(const char *segment, size_t size, size_t alignment) {
    size_t padding = (alignment == 8 ? 8 : 4) - 1;
    for (size_t at = 0; at + sizeof(ElfW(Nhdr)) <= size;) {
        ElfW(Nhdr) header;
        memcpy(&header, segment + at, sizeof header);
        size_t name = at + sizeof header, content = (name + header.n_namesz + padding) & ~padding;
        if (content + header.n_descsz > size) return NULL;
        if (header.n_type == NOTE_TYPE && header.n_namesz == sizeof NOTE_NAME && header.n_descsz == 4 &&
            memcmp(segment + name, NOTE_NAME, sizeof NOTE_NAME) == 0) {
            int32_t distance;
            memcpy(&distance, segment + content, sizeof distance);
            return (uint32_t *)(uintptr_t)(segment + content + distance);
        }
        at = (content + header.n_descsz + padding) & ~padding;
    }
    return NULL;
}

static uint32_t *find_word_of(const struct dl_phdr_info *object) {
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        if (header->p_type != PT_NOTE) continue;
        /* An address of the process: the sum is none of the pointer's object. */
        const char *segment = (const char *)(uintptr_t)(object->dlpi_addr + header->p_vaddr);
        uint32_t *word = find_word(segment, header->p_memsz, header->p_align);
        if (word) return word;
    }
    return NULL;
}

typedef struct copies {
    char text[4096];
    size_t length;
    bool others; /* whether any is used but this one */
} copies;

static int note_copy(struct dl_phdr_info *object, size_t size, void *of_copies) {
    (void)size;
    copies *found = of_copies;
    uint32_t *word = find_word_of(object);
    if (word == NULL || __atomic_load_n(word, __ATOMIC_SEQ_CST) == 0) return 0;
    char program[1024] = "the program";
    const char *name = object->dlpi_name;
    if (name == NULL || *name == 0) {
        ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
        if (length > 0) program[length] = 0;
        name = program;
    }
    size_t room = sizeof found->text - found->length;
    int length = snprintf(found->text + found->length, room, "%s%s", found->length == 0 ? "" : ", ", name);
    if (length > 0) found->length += (size_t)length < room ? (size_t)length : room - 1;
    if (word != &coro_copy_is_used) found->others = true;
    return 0;
}

void coro_copies_announce(void) {
    if (__atomic_load_n(&coro_copy_is_used, __ATOMIC_RELAXED) != 0) return;
    if (__atomic_exchange_n(&coro_copy_is_used, 1, __ATOMIC_SEQ_CST) != 0) return;
    copies found = {.length = 0};
    dl_iterate_phdr(note_copy, &found);
    if (!found.others) return;
    dprintf(STDERR_FILENO,
            "libcoro: several copies of the runtime are used in this process, and their loops know nothing of each other: %s. "
            "Link but one of them (for a Swift package, libcoro's trait SharedLibrary)\n",
            found.text);
}
