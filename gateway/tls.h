/*
 * tls - TLS of a server, on sockets that never block
 *
 * Tls is a certificate and its key, TlsStream one connection's state.  TLS 1.2
 * and 1.3, forward secrecy only, no renegotiation, no compression; of ALPN only
 * "http/1.1", since nothing else is spoken here.
 *
 * The files are looked at by tls_refresh and read again when they changed: a
 * new certificate holds for new connections.  When the new pair cannot be read
 * or does not match, the old one stays and err says why.
 *
 * OpenSSL's only door but for hashes.  One thread, in a process that ignores
 * SIGPIPE: OpenSSL writes with write().
 */
#ifndef CHEMCHAT_TLS_H
#define CHEMCHAT_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

typedef struct Tls Tls;
typedef struct TlsStream TlsStream;

typedef enum TlsResult
{
	TLS_DONE, /* also: some bytes were read or written */
	TLS_WANT_READ,
	TLS_WANT_WRITE,
	TLS_ENDED, /* the peer has said its last */
	TLS_FAILED
} TlsResult;

/* Both files in PEM: the chain, leaf first; its private key. */
Tls *tls_open(const char *cert_file, const char *key_file,
			  Error *err) MUST_CHECK;
void tls_free(Tls **tls);

/* True when there is nothing new, or the new was taken (*is_new). */
bool tls_refresh(Tls *tls, bool *is_new, Error *err) MUST_CHECK;

/* The descriptor stays the caller's. */
TlsStream *tls_stream_new(Tls *tls, int fd);
void tls_stream_free(TlsStream **stream);

TlsResult tls_handshake(TlsStream *stream);
TlsResult tls_read(TlsStream *stream, void *bytes, size_t size, size_t *got);

/* After a WANT the same bytes must come again first; more may follow. */
TlsResult tls_write(TlsStream *stream, const void *bytes, size_t len,
					size_t *put);

/* Says that nothing more will be written; waits for nothing. */
void tls_say_end(TlsStream *stream);

#endif
