"""Turns the small part of Markdown that the pages in docs/man/ use into man(7). No third-party module.

Known: headings, paragraphs, `code`, **bold**, *italic*, links (their text), fenced code, "- " lists, definition lists
("term" and ": text"), tables of two columns (as definitions). Everything else is text.
"""

import re

INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|(?<![\w*])\*([^*\s][^*]*)\*|\[([^\]]+)\]\([^)]*\)")


def escape(text):
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")


def inline(text):
    """One line of text with its fonts; never begins with a control character."""
    result, at = "", 0
    for match in INLINE.finditer(text):
        result += escape(text[at:match.start()])
        if match[4] is not None:
            result += escape(match[4])
        else:
            result += ("\\fI" if match[3] is not None else "\\fB") + escape(match[1] or match[2] or match[3]) + "\\fR"
        at = match.end()
    result += escape(text[at:])
    return "\\&" + result if result.startswith((".", "\\(aq")) else result


def definition(term, text):
    return [".TP", inline(term), inline(text)]


def is_table_rule(line):
    return re.fullmatch(r"\|[\s|:-]+\|", line) is not None


def table_rows(lines):
    """The rows below the table's rule, as (first cell, second cell)."""
    body = lines[2:] if len(lines) > 1 and is_table_rule(lines[1]) else lines
    for line in body:
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        yield cells[0], " ".join(cells[1:])


def take(lines, at, condition):
    end = at
    while end < len(lines) and condition(lines[end]):
        end += 1
    return lines[at:end], end


def convert(markdown):
    """The body of a page: everything below its title heading."""
    lines = markdown.splitlines()
    out, at = [], 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif line.startswith("```"):
            block, at = take(lines, at + 1, lambda text: not text.startswith("```"))
            at += 1
            out += [".PP", ".RS 4", ".nf", *(("\\&" + escape(text)) for text in block), ".fi", ".RE"]
        elif line.startswith("### "):
            out.append(".SS " + inline(line[4:]))
            at += 1
        elif line.startswith("## "):
            out.append(".SH " + inline(line[3:].upper()))
            at += 1
        elif line.startswith("|"):
            block, at = take(lines, at, lambda text: text.startswith("|"))
            for first, second in table_rows(block):
                out += definition(first, second)
        elif line.startswith("- "):
            block, at = take(lines, at, lambda text: text.startswith(("- ", "  ")))
            for item in re.split(r"\n(?=- )", "\n".join(block)):
                out += [".IP \\(bu 2", inline(" ".join(part.strip() for part in item[2:].splitlines()))]
        elif at + 1 < len(lines) and lines[at + 1].startswith(": "):
            block, end = take(lines, at + 1, lambda text: text.startswith((": ", "  ")))
            out += definition(line, " ".join(part.removeprefix(": ").strip() for part in block))
            at = end
        else:
            block, at = take(lines, at, lambda text: text.strip() and not text.startswith(("#", "```", "|", "- ")))
            out += [".PP", inline(" ".join(part.strip() for part in block))]
    return "\n".join(out) + "\n"


def page(title, section, manual, version, markdown):
    head = f'.TH {escape(title.upper())} {section} "" "Caisson {escape(version)}" "{manual}"\n'
    return '.\\" Made by tools/make_man.py; change docs/man/ instead.\n' + head + convert(markdown)
