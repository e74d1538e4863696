/*
 * allocator - glibc's malloc keeps what the relay gives back
 *
 * A record in librdkafka is a dozen blocks, one for each of its headers, made
 * and freed by one thread, thousands in flight.  By default glibc keeps seven
 * blocks of a size at hand and puts the rest through its shared bins: a third
 * of the relay's CPU in a drain (docs/benchmarks.md).  The number at hand can
 * be set by the environment only, before a process begins: so the relay sets
 * it and begins again, once.  What is kept is bounded by what was in flight.
 *
 * An operator who sets GLIBC_TUNABLES has the last word.  When it cannot
 * begin again, or on another libc, nothing happens.
 */
#ifndef CHEMCHAT_ALLOCATOR_H
#define CHEMCHAT_ALLOCATOR_H

/* First thing in main, before there is a thread or a descriptor. */
void allocator_tune(char **argv);

#endif
