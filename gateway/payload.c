#include "payload.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

Payload *
payload_new(const char *text, size_t len)
{
	Payload *payload = xmalloc(sizeof(*payload) + PAYLOAD_HEADROOM + len);

	assert(len <= UINT32_MAX);
	payload->refs = 1;
	payload->len = (uint32_t) len;
	memcpy(payload_text(payload), text, len);
	return payload;
}

Payload *
payload_take(Payload *payload)
{
	payload->refs++;
	return payload;
}

void
payload_drop(Payload *payload)
{
	assert(payload->refs > 0);
	if (--payload->refs == 0)
		free(payload);
}
