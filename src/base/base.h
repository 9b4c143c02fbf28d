/* base: what every other folder builds on.  Nothing here knows of packets or SIP. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include "base/address.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/pattern.h"
#include "base/slice.h"
#include "base/text.h"
#include "base/vec.h"
#include "base/yaml.h"

#endif
