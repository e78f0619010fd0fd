#!/bin/sh
# SPDX-License-Identifier: BSL-1.0
# The contact sheets of examples/thumbnails, pixel by pixel.
#
# Usage: thumbnails_test.sh SUPPORT PROGRAM
# shellcheck source=tests/support/program.sh
. "$1"
thumbnails=$(realpath "$2")

# gray WIDTH HEIGHT VALUE: a plain PGM.
gray() {
  echo "P2 # a comment
$1 $2 255"
  awk -v n="$(($1 * $2))" -v v="$3" 'BEGIN { while (n--) print v }'
}
# pixel FILE WIDTH X Y: red, green and blue.
pixel() {
  tail -c +"$(($(head -n 3 "$1" | wc -c) + 1))" "$1" | od -An -v -tu1 -w3 |
    sed -n "$(($4 * $2 + $3 + 1))s/  *\([0-9]*\)  *\([0-9]*\)  */\1 \2 /p"
}
# shows FILE WIDTH X Y PIXEL
shows() {
  seen=$(pixel "$1" "$2" "$3" "$4")
  [ "$seen" = "$5" ] || wrong "$1 shows $seen at $3, $4, not $5"
}

# Pictures are averaged, keep their shapes, and lie in the middle of their
# places; the last page is as large as the others.
cd "$dir"
printf 'P2 4 2 10\n 0 10 10 10\n 10 0 10 10\n' >wide.pgm
printf 'P6\n1 1\n255\n\001\002\003' >dot.ppm
printf 'P5 2 2 65535\n\377\377\377\377\000\000\000\000' >deep.pgm
printf 'P3 # colours\n1 2 1 1 0 0 0 0 1' >plain.ppm
gives 0 "$thumbnails" --size 2 --columns 2 --rows 1 \
  wide.pgm dot.ppm deep.pgm plain.ppm dot.ppm
printf 'page-%s.ppm\n' 1 2 3 | printed
for page in 1 2 3; do
  [ "$(head -n 2 page-$page.ppm | tail -n 1)" = "16 10" ] ||
    wrong "page $page is of another shape"
  [ "$(wc -c <page-$page.ppm)" -eq $((13 + 3 * 16 * 10)) ] ||
    wrong "page $page is of another size"
done
shows page-1.ppm 16 4 4 '128 128 128'
shows page-1.ppm 16 5 4 '255 255 255'
shows page-1.ppm 16 10 4 '1 2 3'
shows page-1.ppm 16 11 4 '255 255 255'
shows page-2.ppm 16 4 4 '255 255 255'
shows page-2.ppm 16 5 5 '0 0 0'
shows page-2.ppm 16 10 4 '255 0 0'
shows page-2.ppm 16 10 5 '0 0 255'
shows page-3.ppm 16 4 4 '1 2 3'
shows page-3.ppm 16 10 4 '255 255 255'

# As many pages as are needed: twelve on each.
gray 200 100 7 >a.pgm
twelve='a.pgm a.pgm a.pgm a.pgm a.pgm a.pgm a.pgm a.pgm a.pgm a.pgm a.pgm a.pgm'
# shellcheck disable=SC2086
gives 0 "$thumbnails" --pages=full- $twelve
echo full-1.ppm | printed
# shellcheck disable=SC2086
gives 0 "$thumbnails" --pages=more- $twelve - <a.pgm
printf 'more-%s.ppm\n' 1 2 | printed
shows more-2.ppm 276 4 20 '7 7 7'
shows more-2.ppm 276 4 19 '255 255 255'

# What is wrong is told and skipped; the others get their page.
printf 'P5 2 2 255\n\001\001\001' >short.pgm
gives 1 "$thumbnails" --pages some- short.pgm dot.ppm
said "thumbnails: short.pgm: the picture ends too early"
echo some-1.ppm | printed
shows some-1.ppm 276 35 35 '1 2 3'

# skips SENTENCE PICTURE: and there is no page without pictures.
skips() {
  # shellcheck disable=SC2059
  printf "$2" >wrong.ppm
  refuses 1 "$thumbnails" --pages none- wrong.ppm
  said "thumbnails: wrong.ppm: $1"
  [ ! -e none-1.ppm ] || wrong "a page without pictures"
}
for text in '' GIF89a P4 'P5 x' 'P5 0 1 255\n' 'P5 1 1 65536\n' 'P2 1 1 9 -1'; do
  skips "it is no picture in one of the formats PGM and PPM" "$text"
done
skips "the picture ends too early" 'P2 1 1'
skips "the picture ends too early" 'P2 1 1 255'
skips "the picture ends too early" 'P5 8000 8000 255\n'
skips "the picture has more than 64 million pixels" 'P5 8000 8001 255\n'
skips "the picture has more than 64 million pixels" \
  'P5 99999999999999999999 99999999999999999999 255\n'
skips "a pixel is brighter than the brightest" 'P2 1 1 9 10'
refuses 1 "$thumbnails" nothing.ppm
said "thumbnails: nothing.ppm: No such file or directory"
refuses 1 "$thumbnails" "$dir"
said "thumbnails: $dir: Is a directory"

# A page that cannot be written ends it, be it a full one or the last.
for rows in 1 2; do
  refuses 1 "$thumbnails" --columns 1 --rows $rows --pages nowhere/ dot.ppm
  said "thumbnails: nowhere/1.ppm: No such file or directory"
done

refuses 2 "$thumbnails"
refuses 2 "$thumbnails" --size 0 dot.ppm
refuses 2 "$thumbnails" --size 513 dot.ppm
refuses 2 "$thumbnails" --columns 17 dot.ppm
refuses 2 "$thumbnails" --rows many dot.ppm
explains_itself "$thumbnails"
loses_nothing 1 "$thumbnails" dot.ppm
