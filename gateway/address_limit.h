/*
 * address_limit - how much one address may do
 *
 * Counts the connections of each address and gives it a bucket of requests.
 * An IPv6 client is its /64 (address_household): it has all of those.  What
 * neither has a connection nor used its bucket lately is forgotten, and there
 * are never more than ADDRESS_LIMIT_MAX entries: beyond, strangers are refused.
 *
 * Pure: the caller says what time it is.  One thread.
 */
#ifndef CHEMCHAT_ADDRESS_LIMIT_H
#define CHEMCHAT_ADDRESS_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "rate_limit.h"

#define ADDRESS_LIMIT_MAX 200000

typedef struct AddressLimit AddressLimit;

/* connections: 0 is no limit; so is a rule's per_second of 0. */
AddressLimit *address_limit_new(int64_t connections, const RateRule *requests);
void address_limit_free(AddressLimit **limit);

/* One connection more; false: there are as many as may be. */
bool address_limit_enter(AddressLimit *limit, const Address *address);
void address_limit_leave(AddressLimit *limit, const Address *address);

/* One request more; false: not before *retry_after_ms. */
bool address_limit_take(AddressLimit *limit, const Address *address,
						int64_t now_us, int64_t *retry_after_ms);

/* Forgets what need not be known; now and then. */
void address_limit_sweep(AddressLimit *limit, int64_t now_us);
size_t address_limit_count(const AddressLimit *limit);

#endif
