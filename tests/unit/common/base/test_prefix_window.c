/* uses: common/base */
#include "prefix_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "property.h"

#define MODEL_SPANS 4000

/* All spans that ever were, in order; nothing clever. */
typedef struct Model
{
	struct
	{
		PrefixSpan name;
		uint64_t end;
		int parts;
		bool is_open;
	} spans[MODEL_SPANS];
	size_t count;
	uint64_t position;
} Model;

static bool
model_is_finished(const Model *model, size_t i)
{
	return !model->spans[i].is_open && model->spans[i].parts == 0;
}

static uint64_t
model_position(const Model *model)
{
	uint64_t position = model->position;

	for (size_t i = 0; i < model->count && model_is_finished(model, i); i++)
	{
		if (model->spans[i].end > position)
			position = model->spans[i].end;
	}
	return position;
}

static size_t
model_pending(const Model *model)
{
	size_t pending = 0;

	for (size_t i = 0; i < model->count; i++)
		pending += !model_is_finished(model, i);
	return pending;
}

static size_t
model_held(const Model *model)
{
	size_t i = 0;

	while (i < model->count && model_is_finished(model, i))
		i++;
	return model->count - i;
}

/* A random thing happens to window and model alike. */
static void
step(Random *random, PrefixWindow *window, Model *model, size_t max_spans,
	 uint64_t *end)
{
	size_t back = model->count < 40 ? model->count : 40;
	size_t i = back > 0 ? model->count - 1 - random_below(random, back) : 0;

	switch (random_below(random, 8))
	{
		case 0:
		case 1:
		{
			PrefixSpan span = 0;
			bool has_room = model_held(model) < max_spans;

			*end += random_below(random, 3); /* equal ends happen */
			assert_int_equal(prefix_window_begin(window, *end, &span),
							 has_room);
			if (has_room)
			{
				model->spans[model->count].name = span;
				model->spans[model->count].end = *end;
				model->spans[model->count].parts = 0;
				model->spans[model->count].is_open = true;
				model->count++;
			}
			break;
		}
		case 2:
		case 3:
			if (back > 0 && model->spans[i].is_open)
			{
				prefix_window_add(window, model->spans[i].name);
				model->spans[i].parts++;
			}
			break;
		case 4:
			if (back > 0 && model->spans[i].is_open)
			{
				model->spans[i].is_open = false;
				prefix_window_seal(window, model->spans[i].name);
			}
			break;
		case 5:
		case 6:
			if (back > 0 && model->spans[i].parts > 0)
			{
				model->spans[i].parts--;
				prefix_window_done(window, model->spans[i].name);
			}
			break;
		default:
		{
			uint64_t to = *end + random_below(random, 3);

			if (random_below(random, 4) != 0)
				break;
			if (model_pending(model) == 0 && to > model_position(model))
			{
				model->position = to;
				*end = to;
			}
			prefix_window_skip(window, to);
		}
	}
}

static void
position_is_the_end_of_the_longest_finished_prefix(void **state)
{
	Random random = random_begin();
	Model *model = calloc(1, sizeof *model);

	(void) state;
	assert_non_null(model);
	for (int round = 0; round < 40; round++)
	{
		size_t max_spans = 1 + random_below(&random, round < 20 ? 8 : 500);
		uint64_t end = random_below(&random, 1000);
		PrefixWindow *window = prefix_window_new(end, max_spans);

		memset(model, 0, sizeof *model);
		model->position = end;
		for (int i = 0; i < 1500; i++)
		{
			step(&random, window, model, max_spans, &end);
			assert_int_equal(prefix_window_position(window),
							 model_position(model));
			assert_int_equal(prefix_window_pending(window),
							 model_pending(model));
		}
		prefix_window_free(&window);
		assert_null(window);
	}
	free(model);
}

static void
nothing_is_confirmed_before_its_last_part(void **state)
{
	PrefixWindow *window = prefix_window_new(100, 4);
	PrefixSpan first;
	PrefixSpan second;

	(void) state;
	assert_true(prefix_window_begin(window, 200, &first));
	prefix_window_add(window, first);
	prefix_window_add(window, first);
	assert_true(prefix_window_begin(window, 300, &second));
	prefix_window_add(window, second);
	prefix_window_seal(window, second);
	prefix_window_done(window, second);
	assert_int_equal(prefix_window_position(window), 100);

	prefix_window_done(window, first);
	prefix_window_done(window, first);
	assert_int_equal(prefix_window_position(window), 100); /* still open */
	prefix_window_seal(window, first);
	assert_int_equal(prefix_window_position(window), 300);
	assert_int_equal(prefix_window_pending(window), 0);
	prefix_window_free(&window);
}

static void
a_keepalive_moves_it_only_when_nothing_is_pending(void **state)
{
	PrefixWindow *window = prefix_window_new(100, 4);
	PrefixSpan span;

	(void) state;
	prefix_window_skip(window, 150);
	assert_int_equal(prefix_window_position(window), 150);
	prefix_window_skip(window, 120);
	assert_int_equal(prefix_window_position(window), 150);

	assert_true(prefix_window_begin(window, 200, &span));
	prefix_window_skip(window, 900);
	assert_int_equal(prefix_window_position(window), 150);
	prefix_window_seal(window, span);
	assert_int_equal(prefix_window_position(window), 200);
	prefix_window_skip(window, 900);
	assert_int_equal(prefix_window_position(window), 900);
	prefix_window_free(&window);
}

static void
what_is_sent_again_never_moves_it_back(void **state)
{
	PrefixWindow *window = prefix_window_new(1000, 4);
	PrefixSpan span;

	(void) state;
	assert_true(prefix_window_begin(window, 400, &span));
	prefix_window_seal(window, span);
	assert_int_equal(prefix_window_position(window), 1000);
	prefix_window_free(&window);
}

/* Runs one misuse in a child: true when it aborted. */
static bool
aborts(void (*misuse)(PrefixWindow *window))
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
	{
		(void) close(STDERR_FILENO);
		misuse(prefix_window_new(10, 4));
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
misuse_done_without_part(PrefixWindow *window)
{
	PrefixSpan span = 0;

	(void) prefix_window_begin(window, 20, &span);
	prefix_window_done(window, span);
}

static void
misuse_done_after_the_end(PrefixWindow *window)
{
	PrefixSpan span = 0;

	(void) prefix_window_begin(window, 20, &span);
	prefix_window_seal(window, span);
	prefix_window_done(window, span);
}

static void
misuse_add_to_a_sealed_one(PrefixWindow *window)
{
	PrefixSpan span = 0;

	(void) prefix_window_begin(window, 20, &span);
	prefix_window_add(window, span);
	prefix_window_seal(window, span);
	prefix_window_add(window, span);
}

static void
misuse_backwards(PrefixWindow *window)
{
	PrefixSpan span = 0;

	(void) prefix_window_begin(window, 20, &span);
	(void) prefix_window_begin(window, 19, &span);
}

static void
misuse_unknown_span(PrefixWindow *window)
{
	prefix_window_seal(window, 7);
}

static void
a_wrong_count_ends_the_process(void **state)
{
	(void) state;
	assert_true(aborts(misuse_done_without_part));
	assert_true(aborts(misuse_done_after_the_end));
	assert_true(aborts(misuse_add_to_a_sealed_one));
	assert_true(aborts(misuse_backwards));
	assert_true(aborts(misuse_unknown_span));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(position_is_the_end_of_the_longest_finished_prefix),
		cmocka_unit_test(nothing_is_confirmed_before_its_last_part),
		cmocka_unit_test(a_keepalive_moves_it_only_when_nothing_is_pending),
		cmocka_unit_test(what_is_sent_again_never_moves_it_back),
		cmocka_unit_test(a_wrong_count_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
