// What the stand-in of NVTX reads must lie where NVIDIA's header has it.
#include <nvtx3/nvToolsExt.h>

#include <cstddef>

#include "nvtx_attributes.h"

#define SAME_OFFSET(ours, theirs) \
  static_assert(offsetof(NvtxAttributes, ours) == offsetof(nvtxEventAttributes_t, theirs))

static_assert(sizeof(NvtxAttributes) == sizeof(nvtxEventAttributes_t));
SAME_OFFSET(version, version);
SAME_OFFSET(size, size);
SAME_OFFSET(category, category);
SAME_OFFSET(color_type, colorType);
SAME_OFFSET(color, color);
SAME_OFFSET(payload_type, payloadType);
SAME_OFFSET(payload, payload);
SAME_OFFSET(message_type, messageType);
SAME_OFFSET(message, message);
static_assert(kNvtxColorArgb == NVTX_COLOR_ARGB);
static_assert(kNvtxMessageAscii == NVTX_MESSAGE_TYPE_ASCII);
static_assert(kNvtxMessageRegistered == NVTX_MESSAGE_TYPE_REGISTERED);
