// nvtxEventAttributes_t of NVTX, as far as this project uses it. nvtx_abi.cpp holds it to NVIDIA's
// header where that is installed.
#pragma once

#include <cstdint>

struct NvtxAttributes {
  uint16_t version;
  uint16_t size;
  uint32_t category;
  int32_t color_type;
  uint32_t color;
  int32_t payload_type;
  int32_t reserved0;
  uint64_t payload;
  int32_t message_type;
  const void* message;
};

constexpr int kNvtxColorArgb = 1;
constexpr int kNvtxMessageAscii = 1;
constexpr int kNvtxMessageRegistered = 3;
