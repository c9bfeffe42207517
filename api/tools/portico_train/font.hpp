// A small bitmap font, so that pictures need no font file.
#pragma once

namespace portico::tools {

inline constexpr int kGlyphWidth = 5;
inline constexpr int kGlyphHeight = 9;  ///< seven above the base line, two below
inline constexpr int kAscent = 7;

/// Whether the dot is set. Letters, digits and common signs; all else is blank.
bool glyph_dot(char character, int x, int y);

}  // namespace portico::tools
