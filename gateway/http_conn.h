/*
 * http_conn - one connection of an HttpServer
 *
 * Reads a request within its times and sizes, answers it or hands it on, and
 * then the next.  For http_server.c, which keeps the list of all.
 */
#ifndef CHEMCHAT_HTTP_CONN_H
#define CHEMCHAT_HTTP_CONN_H

#include "http_server.h"

typedef enum HttpState
{
	STATE_HEAD,  /* waits for a head, or for the rest of one */
	STATE_BODY,  /* has the head */
	STATE_BUSY,  /* somebody is working on the answer */
	STATE_ANSWER /* leaves before the next request is looked at */
} HttpState;

/* What its deadline is for. */
typedef enum HttpTime
{
	TIME_NONE,
	TIME_HEAD,
	TIME_IDLE,
	TIME_BODY,
	TIME_ANSWER
} HttpTime;

typedef struct HttpConn HttpConn;

struct HttpConn
{
	Conn *conn;
	HttpServer *server;
	HttpConn *next; /* on its list */
	HttpConn *prev;
	HttpRequest *request; /* STATE_BUSY */
	Buf in;
	int64_t waits_since_us;
	Address client; /* who asks, trusted proxies looked through */
	uint8_t state;
	uint8_t time;
	bool is_on_waiting;
	bool is_stepping; /* an answer that comes now returns to step() */
	bool is_last;     /* no request after this one */
	bool may_read;    /* the page that asks may see the answer */
};

typedef struct HttpList
{
	HttpConn *head;
	HttpConn *tail;
} HttpList;

struct HttpServer
{
	HttpServerConfig config;
	HttpList waiting; /* for their client, longest first */
	HttpList working;
	int count;
	int busy;
	bool is_stopped;
	HttpCounts counts;
};

/* It begins, and is on the server's list. */
void http_conn_begin(HttpServer *server, Conn *take_conn);

/* It ends, once what was written has been read. */
void http_conn_end(HttpConn *http);

/* Its client has hung up, or must not wait any longer: a request is gone. */
void http_conn_hang_up(HttpConn *http);

/* Kept by http_server.c. */
void http_server_add(HttpConn *http, bool is_waiting);
void http_server_remove(HttpConn *http);

#endif
