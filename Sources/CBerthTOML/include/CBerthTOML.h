#ifndef CBERTH_TOML_H
#define CBERTH_TOML_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// TOML text to a flat list of values, each with its place. toml++ does the reading; none of its types or exceptions
// leave this target. Every function may be called from any thread; a document belongs to one thread at a time.

/// Parts in one dotted key or table header; nesting of arrays and inline tables. More is an error, not a deep stack.
enum { CBERTH_TOML_KEY_PARTS_MAX = 16, CBERTH_TOML_NESTING_MAX = 16 };

/// Octets in one text, and values in it.
enum { CBERTH_TOML_TEXT_MAX = 1048576, CBERTH_TOML_NODES_MAX = 131072 };

enum {
    CBERTH_TOML_TABLE = 0,
    CBERTH_TOML_ARRAY = 1,
    CBERTH_TOML_STRING = 2,
    CBERTH_TOML_INTEGER = 3,
    CBERTH_TOML_FLOAT = 4,
    CBERTH_TOML_BOOLEAN = 5,
    CBERTH_TOML_DATE_TIME = 6,
};

/// One value. Lines and columns count from 1; a column counts Unicode code points.
typedef struct cberth_toml_node {
    int32_t kind;
    uint32_t child_count;             // of a table or an array
    uint32_t next;                    // index behind the last value inside this one; its first is at the own index + 1
    uint32_t line, column;            // where the value begins
    uint32_t key_line, key_column;    // where its key begins; 0 for an element of an array and for the document itself
    uint32_t key_offset, key_length;  // its key, in the document's octets
    uint32_t text_offset, text_length;// of a string, likewise
    int64_t integer;                  // of an integer; 0 or 1 of a boolean
    double number;                    // of a float
} cberth_toml_node;

typedef struct cberth_toml_document cberth_toml_document;

/// Reads `length` octets of UTF-8, with or without a byte order mark. Null only when memory is out.
/// The caller frees the document with `cberth_toml_free`.
cberth_toml_document *cberth_toml_parse(const char *text, size_t length);

/// Null where the text was read; else what is wrong, as a sentence that ends with the document's life.
const char *cberth_toml_error(const cberth_toml_document *document, uint32_t *line, uint32_t *column);

/// The values in depth-first order: the first is the document's own table. Lives as long as the document.
const cberth_toml_node *cberth_toml_nodes(const cberth_toml_document *document, uint32_t *count);

/// The octets that keys and strings lie in, UTF-8. Lives as long as the document.
const char *cberth_toml_octets(const cberth_toml_document *document);

void cberth_toml_free(cberth_toml_document *document);

#ifdef __cplusplus
}
#endif

#endif
