#include "http_fetch.h"

#include <ctype.h>
#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#define URL_MAX     2048
#define MAX_AGE_MAX (10LL * 365 * 86400)

typedef struct Answer
{
	const HttpFetch *fetch;
	HttpFetched *fetched;
	bool is_too_large;
} Answer;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void begin(void);
static bool check_url(const char *url, bool is_inside, Error *err);
static bool is_this_machine(const char *url);
static bool configure(CURL *curl, const HttpFetch *fetch, Answer *answer);
static size_t on_header(char *text, size_t one, size_t len, void *arg);
static size_t on_body(char *text, size_t one, size_t len, void *arg);
static int on_progress(void *arg, curl_off_t total, curl_off_t now,
					   curl_off_t up_total, curl_off_t up_now);
static bool next_directive(const char **at, const char *end, const char **word,
						   size_t *len);

bool
http_fetch_check_url(const char *url, Error *err)
{
	return check_url(url, false, err);
}

bool
http_fetch(const HttpFetch *fetch, HttpFetched *fetched, Error *err)
{
	Answer answer = { .fetch = fetch, .fetched = fetched };
	CURL *curl = NULL;
	CURLcode code;
	long status = 0;
	bool is_fetched = false;

	fetched->max_age_s = -1;
	fetched->status = 0;
	if (!check_url(fetch->url, fetch->is_inside, err))
		return false;
	if (pthread_once(&once, begin) != 0 || (curl = curl_easy_init()) == NULL)
		return error_set(err, "could not begin to ask");
	if (!configure(curl, fetch, &answer))
	{
		error_set(err, "could not prepare the question");
		goto cleanup;
	}
	code = curl_easy_perform(curl);
	if (answer.is_too_large || code == CURLE_FILESIZE_EXCEEDED)
		error_set(err, "the answer is larger than %zu bytes", fetch->max_size);
	else if (code != CURLE_OK)
		error_set(err, "%s", curl_easy_strerror(code));
	else if (curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) !=
				 CURLE_OK ||
			 (status != 200 && !fetch->is_inside))
		error_set(err, "the answer's status is %ld", status);
	else
		is_fetched = true;
	fetched->status = (int) status;

cleanup:
	curl_easy_cleanup(curl);
	return is_fetched;
}

int64_t
http_max_age_s(const char *cache_control, size_t len)
{
	const char *at = cache_control;
	const char *end = at + len;
	const char *word;
	size_t word_len;
	int64_t max_age_s = -1;

	while (next_directive(&at, end, &word, &word_len))
	{
		if ((word_len == 8 && (strncasecmp(word, "no-store", 8) == 0 ||
							   strncasecmp(word, "no-cache", 8) == 0)))
			return 0;
		if (word_len > 8 && strncasecmp(word, "max-age=", 8) == 0)
		{
			int64_t value = 0;
			size_t i = 8;

			/* RFC 9111 1.2.2: what is too large is as large as can be */
			for (; i < word_len && isdigit((unsigned char) word[i]); i++)
				value = value >= MAX_AGE_MAX ? MAX_AGE_MAX
											 : value * 10 + (word[i] - '0');
			if (i == word_len)
				max_age_s = value > MAX_AGE_MAX ? MAX_AGE_MAX : value;
		}
	}
	return max_age_s;
}

/* Commas part directives; blanks around them do not count. */
static bool
next_directive(const char **at, const char *end, const char **word, size_t *len)
{
	const char *begin_at = *at;
	const char *stop;

	while (begin_at < end && strchr(" \t\r\n,", *begin_at) != NULL)
		begin_at++;
	if (begin_at >= end)
		return false;
	stop = memchr(begin_at, ',', (size_t) (end - begin_at));
	if (stop == NULL)
		stop = end;
	*at = stop;
	while (stop > begin_at && strchr(" \t\r\n", stop[-1]) != NULL)
		stop--;
	*word = begin_at;
	*len = (size_t) (stop - begin_at);
	return true;
}

static bool
check_url(const char *url, bool is_inside, Error *err)
{
	const char *host;

	if (strlen(url) > URL_MAX)
		return error_set(err, "the URL is longer than %d bytes", URL_MAX);
	for (const char *at = url; *at != '\0'; at++)
	{
		if ((unsigned char) *at <= ' ' || (unsigned char) *at >= 127)
			return error_set(err, "the URL has a character that none has");
	}
	if (strncmp(url, "https://", 8) == 0)
		host = url + 8;
	else if (strncmp(url, "http://", 7) == 0)
		host = url + 7;
	else
		return error_set(err, "the URL does not begin with https://");
	if (host[strcspn(host, "/?#@")] == '@')
		return error_set(err, "the URL holds a user's name or password");
	if (strcspn(host, "/?#") == 0 || *host == ':')
		return error_set(err, "the URL names no host");
	if (host == url + 7 && !is_inside && !is_this_machine(url))
		return error_set(err, "http:// is only for this machine itself; "
							  "use https://");
	return true;
}

static void
begin(void)
{
	(void) curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool
is_this_machine(const char *url)
{
	const char *host = url + 7;
	size_t len = strcspn(host, ":/?#");
	size_t digits;

	if (strncmp(host, "[::1]", 5) == 0)
		return host[5] == '\0' || strchr(":/?#", host[5]) != NULL;
	if (len == 9 && strncasecmp(host, "localhost", len) == 0)
		return true;
	/* digits and dots alone: 127.evil.example is somebody else */
	digits = strspn(host, "0123456789.");
	return strncmp(host, "127.", 4) == 0 && digits == len;
}

static bool
configure(CURL *curl, const HttpFetch *fetch, Answer *answer)
{
	bool is_secure = strncmp(fetch->url, "https://", 8) == 0;
	CURLcode code = CURLE_OK;

#define SET(option, value)                                                     \
	do                                                                         \
	{                                                                          \
		if (code == CURLE_OK)                                                  \
			code = curl_easy_setopt(curl, option, value);                      \
	} while (0)

	SET(CURLOPT_URL, fetch->url);
	SET(CURLOPT_PROTOCOLS_STR, is_secure ? "https" : "http");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NOSIGNAL, 1L); /* threads */
	SET(CURLOPT_TIMEOUT_MS, (long) fetch->timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long) fetch->timeout_ms);
	SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (fetch->ca_file != NULL)
		SET(CURLOPT_CAINFO, fetch->ca_file);
	if (!is_secure)
		SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	SET(CURLOPT_USERAGENT, "chemchat/" CHEMCHAT_VERSION);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) fetch->max_size);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, answer);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, answer);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, answer);
	SET(CURLOPT_NOPROGRESS, 0L);
#undef SET
	return code == CURLE_OK;
}

static size_t
on_header(char *text, size_t one, size_t len, void *arg)
{
	static const char name[] = "cache-control:";
	Answer *answer = arg;

	(void) one;
	if (len > strlen(name) && strncasecmp(text, name, strlen(name)) == 0)
		answer->fetched->max_age_s =
			http_max_age_s(text + strlen(name), len - strlen(name));
	return len;
}

/* Less than len ends the transfer. */
static size_t
on_body(char *text, size_t one, size_t len, void *arg)
{
	Answer *answer = arg;

	(void) one;
	if (answer->fetched->body.len + len > answer->fetch->max_size)
	{
		answer->is_too_large = true;
		return 0;
	}
	buf_append(&answer->fetched->body, text, len);
	return len;
}

/* Not 0 ends the transfer; called about once a second. */
static int
on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total,
			curl_off_t up_now)
{
	const Answer *answer = arg;

	(void) total;
	(void) now;
	(void) up_total;
	(void) up_now;
	return answer->fetch->give_up != NULL &&
		   atomic_load(answer->fetch->give_up);
}
