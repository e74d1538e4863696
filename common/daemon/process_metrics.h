/*
 * process_metrics - what the kernel knows about this process
 *
 * The process_* names that every Prometheus client has: CPU seconds, memory,
 * descriptors, start time.  Reads /proc; what cannot be read is left out.
 */
#ifndef CHEMCHAT_PROCESS_METRICS_H
#define CHEMCHAT_PROCESS_METRICS_H

#include "buf.h"

void process_metrics_write(Buf *out);

#endif
