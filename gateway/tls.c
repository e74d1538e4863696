#include "tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "xalloc.h"

/* For TLS 1.2; those of 1.3 are all of this kind. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct Tls
{
	SSL_CTX *context;
	char *cert_file;
	char *key_file;
	struct timespec cert_changed;
	struct timespec key_changed;
};

static SSL_CTX *load(const Tls *tls, Error *err);
static bool is_changed(const char *path, struct timespec *seen);
static int choose_protocol(SSL *ssl, const unsigned char **out,
						   unsigned char *out_len, const unsigned char *in,
						   unsigned in_len, void *arg);
static TlsResult result_of(SSL *ssl, int returned);
static bool no_tls(Error *err, const char *what, const char *path);

Tls *
tls_open(const char *cert_file, const char *key_file, Error *err)
{
	Tls *tls = xcalloc(1, sizeof(*tls));

	tls->cert_file = xstrdup(cert_file);
	tls->key_file = xstrdup(key_file);
	(void) is_changed(cert_file, &tls->cert_changed);
	(void) is_changed(key_file, &tls->key_changed);
	tls->context = load(tls, err);
	if (tls->context == NULL)
		tls_free(&tls);
	return tls;
}

void
tls_free(Tls **tls_ref)
{
	Tls *tls = *tls_ref;

	if (tls == NULL)
		return;
	*tls_ref = NULL;
	SSL_CTX_free(tls->context);
	free(tls->cert_file);
	free(tls->key_file);
	free(tls);
}

bool
tls_refresh(Tls *tls, bool *is_new, Error *err)
{
	bool cert_is_new = is_changed(tls->cert_file, &tls->cert_changed);
	bool key_is_new = is_changed(tls->key_file, &tls->key_changed);
	SSL_CTX *context;

	*is_new = false;
	if (!cert_is_new && !key_is_new)
		return true;
	context = load(tls, err);
	if (context == NULL)
		return false;
	SSL_CTX_free(tls->context); /* streams hold it as long as they live */
	tls->context = context;
	*is_new = true;
	return true;
}

TlsStream *
tls_stream_new(Tls *tls, int fd)
{
	SSL *ssl = SSL_new(tls->context);

	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
		abort(); /* out of memory */
	SSL_set_accept_state(ssl);
	return (TlsStream *) ssl;
}

void
tls_stream_free(TlsStream **stream)
{
	SSL_free((SSL *) *stream);
	*stream = NULL;
}

TlsResult
tls_handshake(TlsStream *stream)
{
	SSL *ssl = (SSL *) stream;

	ERR_clear_error();
	return result_of(ssl, SSL_do_handshake(ssl));
}

TlsResult
tls_read(TlsStream *stream, void *bytes, size_t size, size_t *got)
{
	SSL *ssl = (SSL *) stream;

	ERR_clear_error();
	return result_of(ssl, SSL_read_ex(ssl, bytes, size, got));
}

TlsResult
tls_write(TlsStream *stream, const void *bytes, size_t len, size_t *put)
{
	SSL *ssl = (SSL *) stream;

	ERR_clear_error();
	return result_of(ssl, SSL_write_ex(ssl, bytes, len, put));
}

void
tls_say_end(TlsStream *stream)
{
	SSL *ssl = (SSL *) stream;

	ERR_clear_error();
	if (!SSL_in_init(ssl))
		(void) SSL_shutdown(ssl);
	ERR_clear_error();
}

static SSL_CTX *
load(const Tls *tls, Error *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	bool is_loaded = false;

	if (context == NULL)
		abort(); /* out of memory */
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION |
									 SSL_OP_NO_COMPRESSION |
									 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS |
								  SSL_MODE_ENABLE_PARTIAL_WRITE |
								  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_num_tickets(context, 1);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
	ERR_clear_error();
	if (SSL_CTX_set_cipher_list(context, CIPHERS) != 1)
		(void) no_tls(err, "could not choose ciphers", CIPHERS);
	else if (SSL_CTX_use_certificate_chain_file(context, tls->cert_file) != 1)
		(void) no_tls(err, "could not read the certificate", tls->cert_file);
	else if (SSL_CTX_use_PrivateKey_file(context, tls->key_file,
										 SSL_FILETYPE_PEM) != 1)
		(void) no_tls(err, "could not use the key", tls->key_file);
	else if (SSL_CTX_check_private_key(context) != 1)
		(void) no_tls(err, "the key is not the certificate's", tls->key_file);
	else
		is_loaded = true;
	if (!is_loaded)
	{
		SSL_CTX_free(context);
		context = NULL;
	}
	return context;
}

/* Has the file been written, or replaced, since it was looked at last? */
static bool
is_changed(const char *path, struct timespec *seen)
{
	struct stat info;

	if (stat(path, &info) != 0 || (info.st_mtim.tv_sec == seen->tv_sec &&
								   info.st_mtim.tv_nsec == seen->tv_nsec))
		return false;
	*seen = info.st_mtim;
	return true;
}

/* RFC 7301: a client that speaks only h2 shall hear so. */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
				const unsigned char *in, unsigned in_len, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";

	(void) ssl;
	(void) arg;
	for (unsigned at = 0; at < in_len; at += in[at] + 1u)
	{
		if (in[at] == 8 && in_len - at >= 9 && memcmp(in + at, ours, 9) == 0)
		{
			*out = in + at + 1;
			*out_len = 8;
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static TlsResult
result_of(SSL *ssl, int returned)
{
	if (returned == 1)
		return TLS_DONE;
	switch (SSL_get_error(ssl, returned))
	{
		case SSL_ERROR_WANT_READ:
			return TLS_WANT_READ;
		case SSL_ERROR_WANT_WRITE:
			return TLS_WANT_WRITE;
		case SSL_ERROR_ZERO_RETURN:
			return TLS_ENDED;
		default:
			ERR_clear_error();
			return TLS_FAILED;
	}
}

static bool
no_tls(Error *err, const char *what, const char *path)
{
	unsigned long why = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(why);

	ERR_clear_error();
	return error_set(err, "%s %s: %s", what, path,
					 reason != NULL ? reason : "no reason is given");
}
