# awk -f fill.awk TABLES PAGE: the page, with what stands between `.\" begin NAME` and `.\" end NAME`
# replaced by that part of TABLES. A part that the page has a place for, and TABLES has not, is left as it is.

FNR == NR {
    if ($1 == ".\\\"" && $2 == "begin") part = $3
    if (part != "") text[part] = text[part] $0 "\n"
    if ($1 == ".\\\"" && $2 == "end") part = ""
    next
}

$1 == ".\\\"" && $2 == "begin" && $3 in text {
    printf "%s", text[$3]
    inside = 1
}

!inside

$1 == ".\\\"" && $2 == "end" {
    inside = 0
}
