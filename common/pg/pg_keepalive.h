/*
 * pg_keepalive - what a session asks of its server, since its machine may go
 *
 * A client whose machine or network is gone says no farewell.  The server's
 * kernel would look after it for the first time in two hours (Linux), and until
 * then the session keeps its locks: a relay's slot, a conversation in the
 * middle of a send.  With these it is ended 11 s after the last sign of life.
 * On a unix socket they do nothing.
 *
 * Not tcp_user_timeout: it would end a relay that reads nothing because Kafka
 * is away.
 */
#ifndef CHEMCHAT_PG_KEEPALIVE_H
#define CHEMCHAT_PG_KEEPALIVE_H

/* Columns of a SELECT; any role may set them. */
#define PG_KEEPALIVE_COLUMNS                                                   \
	" pg_catalog.set_config('tcp_keepalives_idle', '5', false),"               \
	" pg_catalog.set_config('tcp_keepalives_interval', '2', false),"           \
	" pg_catalog.set_config('tcp_keepalives_count', '3', false)"

#endif
