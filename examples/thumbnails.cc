// SPDX-License-Identifier: BSL-1.0
// Contact sheets: many pictures, made small, on a few pages.
//
//   main ---- picture ----> pager ---- page ----> page writer
//        send()                   send()
//
// Both stages are consumers: each is written as a loop that waits for the next
// thing, and is sent it. close() on the first ends both, one after the other,
// and the page that is not full yet gets written. (PEP 342's own example.)
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/examples/cli.h"
#include "weft/examples/input.h"
#include "weft/examples/thumbnails/picture.h"
#include "weft/weft.h"

namespace {

constexpr std::string_view help = R"(Usage: thumbnails [OPTION]... PICTURE...
Makes pictures small and puts them on pages, as many as are needed, whose names
it prints. Pictures are PGM and PPM files; - is standard input.

  --pages PREFIX  the pages are PREFIX1.ppm, PREFIX2.ppm, ... (page-)
  --size N        how large a picture may be there, 1 to 512 pixels (64)
  --columns N     pictures side by side, 1 to 16 (4)
  --rows N        and one above the other, 1 to 16 (3)
  --help          print this

Exit status: 0 all done, 1 a picture was reported and skipped or a page could
not be written, 2 bad usage.
)";

struct layout {
  static constexpr std::size_t gap = 4;

  std::size_t size;
  std::size_t columns;
  std::size_t rows;

  [[nodiscard]] std::size_t places() const { return columns * rows; }
  [[nodiscard]] picture empty_page() const {
    const std::size_t width = columns * (size + gap) + gap;
    const std::size_t height = rows * (size + gap) + gap;
    return {width, height, std::vector<pixel>(width * height, white)};
  }
  // In the middle of that place.
  void put(const picture& thumbnail, picture& page, std::size_t which) const {
    const std::size_t left = which % columns * (size + gap) + gap;
    const std::size_t top = which / columns * (size + gap) + gap;
    paste(thumbnail, page, left + (size - thumbnail.width) / 2,
          top + (size - thumbnail.height) / 2);
  }
};

using sink = weft::consumer<picture>;
using source = weft::yielder<void, picture>;

sink page_writer(const std::string& prefix) {
  return sink([prefix](source& next) {
    for (int i = 1;; ++i) {
      const picture page = next().value();
      const std::string path = prefix + std::to_string(i) + ".ppm";
      write_picture(page, path);
      std::printf("%s\n", path.c_str());
    }
  });
}

sink pager(const layout& where, sink pages) {
  return sink([where, pages = std::move(pages)](source& next) mutable {
    for (;;) {
      picture page = where.empty_page();
      std::size_t filled = 0;
      try {
        for (; filled != where.places(); ++filled)
          where.put(shrunk(next().value(), where.size), page, filled);
      } catch (const weft::generator_exit&) {
        if (filled != 0) pages.send(std::move(page));
        pages.close();
        throw;
      }
      pages.send(std::move(page));
    }
  });
}

int make_pages(const std::vector<std::string>& paths, const layout& where,
               const std::string& prefix) {
  int code = 0;
  sink pictures = pager(where, page_writer(prefix));
  for (const std::string& path : paths) {
    picture p;
    try {
      cli::input in = cli::input::file(path);
      p = read_picture(in);
    } catch (const std::exception& e) {
      cli::warn(e.what());
      code = 1;
      continue;
    }
    pictures.send(std::move(p));
  }
  pictures.close();
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  cli::arguments args(argc, argv);
  args.help(help);
  const auto number = [&](const char* name, long otherwise, long most) {
    return static_cast<std::size_t>(args.number(name, otherwise, 1, most));
  };
  const layout where{number("size", 64, 512), number("columns", 4, 16),
                     number("rows", 3, 16)};
  const std::string prefix = args.text("pages", "page-");
  const std::vector<std::string> paths = args.operands();
  if (paths.empty()) cli::fail("there is no picture; try --help", 2);
  return cli::run([&] { return make_pages(paths, where, prefix); });
}
