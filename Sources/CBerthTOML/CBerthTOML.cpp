#include "CBerthTOML.h"

#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <vector>

// toml++ 3.3 asserts that a table header begins with a key, and reports one that does not right behind the assertion.
// An abort is no answer to a file; and with NDEBUG the assertion would become an assumption that removes the report.
#undef NDEBUG
#define TOML_ASSERT(expr) static_cast<void>(0)
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 16
#include <toml++/toml.h>

static_assert(TOML_MAX_NESTED_VALUES == CBERTH_TOML_NESTING_MAX);

struct cberth_toml_document {
    std::vector<cberth_toml_node> nodes;
    std::string octets;
    std::string error;
    uint32_t line = 0;
    uint32_t column = 0;
};

namespace {

// Counts the parts of dotted keys before toml++ sees the text: `a.a.a...` makes a table a part, and toml++ walks and
// frees them recursively, with no limit of its own. The scan is in step with TOML's lexis up to the first error,
// and toml++ reads no further than that.
class KeyPartScan {
  public:
    KeyPartScan(std::string_view text) : text_(text) {}

    /// Whether some key has too many parts; then `line` and `column` say where.
    bool finds_too_many() {
        while (at_ < text_.size()) {
            switch (text_[at_]) {
            case '"':
            case '\'':
                skip_string(text_[at_]);
                continue;
            case '#':
                while (at_ < text_.size() && text_[at_] != '\n') step();
                continue;
            case '\n':
            case '=':
            case '[':
            case ']':
            case '{':
            case '}':
            case ',':
                dots_ = 0;
                break;
            case '.':
                if (++dots_ >= CBERTH_TOML_KEY_PARTS_MAX) return true;
                break;
            default:
                break;
            }
            step();
        }
        return false;
    }

    uint32_t line = 1;
    uint32_t column = 1;

  private:
    void step() {
        if (text_[at_] == '\n') {
            line++;
            column = 1;
        } else if ((static_cast<unsigned char>(text_[at_]) & 0xC0) != 0x80) {
            column++;
        }
        at_++;
    }

    bool triple(char quote) const {
        return text_.size() - at_ >= 3 && text_[at_] == quote && text_[at_ + 1] == quote && text_[at_ + 2] == quote;
    }

    void skip_string(char quote) {
        bool const multiline = triple(quote);
        for (int i = multiline ? 3 : 1; i > 0; i--) step();
        while (at_ < text_.size()) {
            char const c = text_[at_];
            if (c == '\\' && quote == '"') {
                step();
                if (at_ < text_.size()) step();
            } else if (multiline && triple(quote)) {
                // Up to two quotes may stand before the three that end it.
                for (int i = 0; i < 5 && at_ < text_.size() && text_[at_] == quote; i++) step();
                return;
            } else if (!multiline && (c == quote || c == '\n')) {
                if (c == quote) step();
                return;
            } else {
                step();
            }
        }
    }

    std::string_view text_;
    size_t at_ = 0;
    int dots_ = 0;
};

uint32_t put(cberth_toml_document &document, std::string_view text) {
    auto const offset = static_cast<uint32_t>(document.octets.size());
    document.octets.append(text);
    return offset;
}

// Appends `node` and all inside it; false when there are too many. As deep as the parts and the nesting above allow.
bool flatten(cberth_toml_document &document, toml::node const &node, toml::key const *key) {
    if (document.nodes.size() >= CBERTH_TOML_NODES_MAX) {
        document.error = "more than 131072 values in one file";
        document.line = node.source().begin.line;
        document.column = node.source().begin.column;
        return false;
    }
    size_t const index = document.nodes.size();
    cberth_toml_node flat{};
    flat.line = node.source().begin.line;
    flat.column = node.source().begin.column;
    if (key != nullptr) {
        flat.key_line = key->source().begin.line;
        flat.key_column = key->source().begin.column;
        flat.key_offset = put(document, key->str());
        flat.key_length = static_cast<uint32_t>(key->str().size());
    }
    document.nodes.push_back(flat);

    uint32_t children = 0;
    int32_t kind = CBERTH_TOML_DATE_TIME;
    if (auto const *table = node.as_table()) {
        kind = CBERTH_TOML_TABLE;
        for (auto const &[name, value] : *table) {
            if (!flatten(document, value, &name)) return false;
            children++;
        }
    } else if (auto const *array = node.as_array()) {
        kind = CBERTH_TOML_ARRAY;
        for (auto const &value : *array) {
            if (!flatten(document, value, nullptr)) return false;
            children++;
        }
    } else if (auto const *string = node.as_string()) {
        kind = CBERTH_TOML_STRING;
        document.nodes[index].text_offset = put(document, string->get());
        document.nodes[index].text_length = static_cast<uint32_t>(string->get().size());
    } else if (auto const *integer = node.as_integer()) {
        kind = CBERTH_TOML_INTEGER;
        document.nodes[index].integer = integer->get();
    } else if (auto const *number = node.as_floating_point()) {
        kind = CBERTH_TOML_FLOAT;
        document.nodes[index].number = number->get();
    } else if (auto const *boolean = node.as_boolean()) {
        kind = CBERTH_TOML_BOOLEAN;
        document.nodes[index].integer = boolean->get() ? 1 : 0;
    }
    document.nodes[index].kind = kind;
    document.nodes[index].child_count = children;
    document.nodes[index].next = static_cast<uint32_t>(document.nodes.size());
    return true;
}

void read(cberth_toml_document &document, std::string_view text) {
    if (text.size() > CBERTH_TOML_TEXT_MAX) {
        document.error = "the file is larger than 1 MiB";
        document.line = document.column = 1;
        return;
    }
    KeyPartScan scan(text);
    if (scan.finds_too_many()) {
        document.error = "a key of more than 16 parts";
        document.line = scan.line;
        document.column = scan.column;
        return;
    }
    toml::parse_result result = toml::parse(text);
    if (!result) {
        auto const &error = result.error();
        document.error.assign(error.description());
        if (document.error.empty()) document.error = "not TOML";
        document.line = error.source().begin.line;
        document.column = error.source().begin.column;
        return;
    }
    flatten(document, result.table(), nullptr);
}

} // namespace

cberth_toml_document *cberth_toml_parse(const char *text, size_t length) {
    auto *document = new (std::nothrow) cberth_toml_document;
    if (document == nullptr) return nullptr;
    try {
        read(*document, std::string_view(text, length));
    } catch (...) {
        delete document;
        return nullptr;
    }
    if (!document->error.empty()) document->nodes.clear();
    return document;
}

const char *cberth_toml_error(const cberth_toml_document *document, uint32_t *line, uint32_t *column) {
    *line = document->line;
    *column = document->column;
    return document->error.empty() ? nullptr : document->error.c_str();
}

const cberth_toml_node *cberth_toml_nodes(const cberth_toml_document *document, uint32_t *count) {
    *count = static_cast<uint32_t>(document->nodes.size());
    return document->nodes.data();
}

const char *cberth_toml_octets(const cberth_toml_document *document) { return document->octets.c_str(); }

void cberth_toml_free(cberth_toml_document *document) { delete document; }
