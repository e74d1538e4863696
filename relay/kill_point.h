/*
 * kill_point - where tests let the relay die
 *
 * Built with `make KILL_POINTS=1` (into build/kill), the relay raises SIGKILL
 * when it passes the point that CHEMCHAT_KILL_AT names the given number of
 * times: CHEMCHAT_KILL_AT=after_produce:100.  In every other build the calls
 * are nothing at all.
 *
 *   after_receive    a frame was read, none of it handed on
 *   after_produce    a record was handed to Kafka's client
 *   before_ack       acknowledgements are about to be looked at
 *   after_ack        an acknowledgement was noted
 *   before_report    the row of chemchat.stream is about to be written
 *   after_report     it was written
 *   before_feedback  an LSN is about to be confirmed
 *   after_feedback   it was sent
 *   during_repair    a part of the history was republished
 */
#ifndef CHEMCHAT_KILL_POINT_H
#define CHEMCHAT_KILL_POINT_H

#ifdef CHEMCHAT_KILL_POINTS
void kill_point(const char *name);
#else
#define kill_point(name) ((void) 0)
#endif

#endif
