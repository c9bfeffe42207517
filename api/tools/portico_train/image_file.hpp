// Images to classify, out of a file.
#pragma once

#include <filesystem>
#include <string>

#include "portico/data/dataset.hpp"

namespace portico::tools {

struct Images {
  data::ImageSet set;  ///< 28x28; labels are all 0
  std::string note;    ///< what was done to a picture to make it one, for the user
};

/// An IDX file of images (plain or gzip), or one PNG or JPEG picture of any size, told by content. A picture becomes
/// grey, is reduced to 28x28 within its proportions, and is inverted when its border is bright: the network knows
/// bright things on black. Throws `Error{io}` naming the file and what is wrong with it.
Images read_images(const std::filesystem::path& path);

}  // namespace portico::tools
