/*
 * proxy_header - who the client behind a load balancer is
 *
 * The PROXY protocol, versions 1 (one line of text) and 2 (binary), as HAProxy
 * describes it ("The PROXY protocol", 2020/03/05).  It comes before all else,
 * TLS included, so exactly its bytes may be taken from the socket: the parser
 * says how many of those seen belong to it.
 *
 * Pure.
 */
#ifndef CHEMCHAT_PROXY_HEADER_H
#define CHEMCHAT_PROXY_HEADER_H

#include <stddef.h>

#include "address.h"

#define PROXY_HEADER_MAX 536 /* of version 2 with what we care to read */

typedef enum ProxyVerdict
{
	PROXY_MORE,  /* so far it may be one; all bytes are its own */
	PROXY_OK,    /* *size bytes; *address: the client's */
	PROXY_LOCAL, /* *size bytes; the proxy itself is asking: a health check */
	PROXY_BAD
} ProxyVerdict;

/*
 * bytes: all of the connection's so far.  *size: with PROXY_MORE, how many of
 * them are certainly the header's.
 */
ProxyVerdict proxy_header_parse(const unsigned char *bytes, size_t len,
								Address *address, size_t *size);

#endif
