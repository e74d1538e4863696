#include "password_work.h"

#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

typedef struct Job
{
	uv_work_t request;
	struct Job *next;
	PasswordWork *work; /* NULL: stopped, and answered */
	PasswordFn done;
	void *arg;
	bool is_hash; /* make one, not check one */
	bool is_decoy;
	PasswordOutcome outcome;
	char hash[PASSWORD_HASH_SIZE];
	size_t len;
	char password[PASSWORD_MAX_SIZE];
} Job;

struct PasswordWork
{
	uv_loop_t *loop;
	Job *head; /* waiting */
	Job *tail;
	int waiting;
	Job *running[PASSWORD_AT_ONCE];
	char decoy[PASSWORD_HASH_SIZE];
};

static bool submit(PasswordWork *work, const char *hash, bool is_hash,
				   const char *password, size_t len, PasswordFn done,
				   void *arg);
static void run_next(PasswordWork *work);
static void on_thread(uv_work_t *request);
static void after(uv_work_t *request, int status);
static void job_free(Job *job);

PasswordWork *
password_work_new(uv_loop_t *loop, Error *err)
{
	PasswordWork *work = xcalloc(1, sizeof(*work));

	work->loop = loop;
	if (password_hash_decoy(work->decoy))
		return work;
	error_set(err, "could not make a password hash");
	free(work);
	return NULL;
}

void
password_work_free(PasswordWork **work_ref)
{
	PasswordWork *work = *work_ref;
	Job *job;

	if (work == NULL)
		return;
	*work_ref = NULL;
	while ((job = work->head) != NULL)
	{
		work->head = job->next;
		job->done(job->arg, PASSWORD_UNAVAILABLE, NULL);
		job_free(job);
	}
	for (int i = 0; i < PASSWORD_AT_ONCE; i++)
	{
		job = work->running[i];
		if (job == NULL)
			continue;
		job->work = NULL;
		job->done(job->arg, PASSWORD_UNAVAILABLE, NULL);
	}
	free(work);
}

bool
password_work_verify(PasswordWork *work, const char *hash, const char *password,
					 size_t len, PasswordFn done, void *arg)
{
	return submit(work, hash, false, password, len, done, arg);
}

bool
password_work_hash(PasswordWork *work, const char *password, size_t len,
				   PasswordFn done, void *arg)
{
	return submit(work, NULL, true, password, len, done, arg);
}

static bool
submit(PasswordWork *work, const char *hash, bool is_hash, const char *password,
	   size_t len, PasswordFn done, void *arg)
{
	Job *job;

	if (work->waiting >= PASSWORD_QUEUE_MAX || len > PASSWORD_MAX_SIZE)
		return false;
	job = xcalloc(1, sizeof(*job));
	job->work = work;
	job->done = done;
	job->arg = arg;
	job->is_hash = is_hash;
	job->request.data = job;
	/* a hash that does not fit is none of ours */
	job->is_decoy = hash == NULL || strlen(hash) >= PASSWORD_HASH_SIZE;
	if (!is_hash)
		memcpy(job->hash, job->is_decoy ? work->decoy : hash,
			   strlen(job->is_decoy ? work->decoy : hash) + 1);
	memcpy(job->password, password, len);
	job->len = len;

	if (work->tail != NULL && work->head != NULL)
		work->tail->next = job;
	else
		work->head = job;
	work->tail = job;
	work->waiting++;
	run_next(work);
	return true;
}

static void
run_next(PasswordWork *work)
{
	for (int i = 0; i < PASSWORD_AT_ONCE; i++)
	{
		Job *job = work->head;

		if (work->running[i] != NULL || job == NULL)
			continue;
		work->head = job->next;
		work->waiting--;
		work->running[i] = job;
		uv_queue_work(work->loop, &job->request, on_thread, after);
	}
}

/* On a thread of libuv's: nothing but the job is touched. */
static void
on_thread(uv_work_t *request)
{
	Job *job = request->data;
	bool is_good;

	if (job->is_hash)
	{
		is_good = password_hash(job->password, job->len, job->hash);
		job->outcome = is_good ? PASSWORD_GOOD : PASSWORD_UNAVAILABLE;
	}
	else
	{
		is_good = password_is_of(job->hash, job->password, job->len);
		job->outcome = is_good && !job->is_decoy ? PASSWORD_GOOD : PASSWORD_BAD;
	}
	explicit_bzero(job->password, sizeof(job->password));
}

static void
after(uv_work_t *request, int status)
{
	Job *job = request->data;
	PasswordWork *work = job->work;

	if (status != 0)
		job->outcome = PASSWORD_UNAVAILABLE;
	if (work != NULL)
	{
		for (int i = 0; i < PASSWORD_AT_ONCE; i++)
		{
			if (work->running[i] == job)
				work->running[i] = NULL;
		}
		run_next(work);
		job->done(job->arg, job->outcome,
				  job->is_hash && job->outcome == PASSWORD_GOOD ? job->hash
																: NULL);
	}
	job_free(job);
}

static void
job_free(Job *job)
{
	explicit_bzero(job, sizeof(*job));
	free(job);
}
