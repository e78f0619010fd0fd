#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The outlines of examples/xml_pull, of files of any size.
#
# Usage: xml_pull_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
xml_pull=$2

cat >"$dir/small.xml" <<'END'
<?xml version="1.0"?>
<!DOCTYPE library [<!ENTITY more "<book/><book/>">]>
<library xmlns:x="urn:x">
  <book id="1"><title>One &amp; a half</title><!-- <no/> --></book>
  <x:film/>
  <book><title><![CDATA[<no/>]]></title><title/></book>
  &more;
</library>
END
cat >"$dir/outline" <<'END'
        1 library
        4   book
        3     title
        1   x:film
END
gives 0 "$xml_pull" "$dir/small.xml"
printed <"$dir/outline"
gives 0 "$xml_pull" <"$dir/small.xml"
printed <"$dir/outline"
iconv -f UTF-8 -t UTF-16 "$dir/small.xml" >"$dir/wide.xml"
gives 0 "$xml_pull" "$dir/wide.xml"
printed <"$dir/outline"

# The parser is asked for no more than was asked for here.
gives 0 "$xml_pull" --first 3 "$dir/small.xml"
printed <<'END'
        1 library
        1   book
        1     title
END
{ cat "$dir/small.xml" && echo '<not well formed'; } >"$dir/half.xml"
gives 0 "$xml_pull" --first 4 "$dir/half.xml"
mkfifo "$dir/endless"
{ echo '<log>' && yes '<entry/>'; } >"$dir/endless" 2>"$dir/yes" &
gives 0 "$xml_pull" --first 1000001 "$dir/endless"
printf '%9d %s\n' 1 log 1000000 '  entry' | printed

# fails PLACE SENTENCE TEXT
fails() {
  printf '%s' "$3" >"$dir/wrong.xml"
  refuses 1 "$xml_pull" "$dir/wrong.xml"
  said "xml_pull: $dir/wrong.xml:$1: $2"
}
fails 1:1 "no element found" ''
fails 3:4 "mismatched tag" '<a>
 <b>
 </a>'
fails 2:7 "not well-formed (invalid token)" '<a>
 <b c=1/></a>'
fails 2:1 "junk after document element" '<a/>
<a/>'
fails 1:7 "no element found" '<a><b>'
fails 1:4 "undefined entity" '<a>&b;</a>'
yes '<a>' | head -n 5001 >"$dir/wrong.xml"
refuses 1 "$xml_pull" "$dir/wrong.xml"
said "xml_pull: $dir/wrong.xml:5001:1: elements are nested deeper than 5000"

# Entities within entities stay within the stack.
{
  echo '<!DOCTYPE a [<!ENTITY e0 "<b/>">'
  awk 'BEGIN { while (++i <= 5000) print "<!ENTITY e" i " \"&e" i - 1 ";\">" }'
  echo ']><a>&e5000;</a>'
} >"$dir/entities.xml"
gives 0 "$xml_pull" "$dir/entities.xml"
printf '%9d %s\n' 1 a 1 '  b' | printed

# Memory does not grow with the file. No sanitizer starts within this limit,
# which is one of addresses, not of pages.
# shellcheck disable=SC3045 # Debian's sh has it.
limited() { (ulimit -v 131072 && exec "$xml_pull" "$@"); }
records=$(yes '<record id="7"><name>weft</name><size>12</size></record>' |
  head -n 1000)
if limited --help >"$dir/out" 2>&1; then
  mkfifo "$dir/large"
  {
    echo '<records>'
    yes "$records" | head -n 3000000
    echo '</records>'
  } >"$dir/large" &
  gives 0 limited "$dir/large"
  printf '%9d %s\n' 1 records 3000000 '  record' 3000000 '    name' \
    3000000 '    size' | printed
fi

# A large file that most Debians have.
mime=/usr/share/mime/packages/freedesktop.org.xml
if [ -f "$mime" ]; then
  gives 0 "$xml_pull" "$mime"
  [ "$(sed -n 1p "$dir/out")" = '        1 mime-info' ] || wrong "no root"
  types=$(grep -c '<mime-type ' "$mime")
  grep -q "^ *$types   mime-type\$" "$dir/out" || wrong "not $types types"
fi

refuses 1 "$xml_pull" "$dir/nothing"
said "xml_pull: $dir/nothing: No such file or directory"
refuses 1 "$xml_pull" "$dir"
said "xml_pull: $dir: Is a directory"
refuses 2 "$xml_pull" a b
refuses 2 "$xml_pull" --first 0
explains_itself "$xml_pull"
loses_nothing 1 "$xml_pull" "$dir/small.xml"
