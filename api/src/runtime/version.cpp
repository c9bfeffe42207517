#include "portico/version.hpp"

namespace portico {

const char* version() { return PORTICO_VERSION; }

}  // namespace portico
