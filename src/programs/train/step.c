#include "programs/train/step.h"

#include "base/log.h"
#include "data/dataset/order.h"
#include "model/optimizer/schedule.h"

/* Default of the maximum windows per micro-batch: enough rows for efficient GEMMs, few enough
 * for a layer's activations to stay near the processor (docs/performance.md). */
enum { DEFAULT_MICRO_BATCH = 128 };

int train_step_micro_batch(const struct hparams *hparams, int64_t most, int num_ranks)
{
    size_t micro_batch = most > 0 ? (size_t)most : DEFAULT_MICRO_BATCH;
    size_t largest = order_largest_part((size_t)hparams->batch_size, num_ranks);
    size_t micro_batches = (largest + micro_batch - 1) / micro_batch;
    if (micro_batches < (size_t)hparams->micro_batches)
        micro_batches = (size_t)hparams->micro_batches;
    return (int)((largest + micro_batches - 1) / micro_batches);
}

static bool start_bf16(struct model *model, struct error *error)
{
    char why[ERROR_MESSAGE_SIZE];
    struct bf16_engine *engine = bf16_engine_best(why, sizeof why, error);
    if (!engine)
        return false;
    if (engine->native)
        log_info("precision=bf16: products by %s", engine->name);
    else
        log_warning("precision=bf16 is emulated by %s, which is slower than precision=float32: %s", engine->name, why);
    return model_use_bf16(model, engine, error);
}

bool train_step_prepare(struct model *model, size_t count, struct error *error)
{
    size_t most = (size_t)model->max_batch, last = count % most;
    if (model->hparams.precision != PRECISION_BF16)
        return true;
    if (!model->bf16.gemms && !start_bf16(model, error))
        return false;
    return (count < most || model_prepare_bf16(model, (int)most, error)) &&
           (last == 0 || model_prepare_bf16(model, (int)last, error));
}

static void on_ready(void *context, size_t end)
{
    const struct train_step *step = context;
    gradient_reducer_ready(step->reducer, end);
    if (step->watch)
        step->watch(step->context, end);
}

static void on_progress(void *context)
{
    const struct train_step *step = context;
    gradient_reducer_progress(step->reducer);
}

static void on_phase(void *context, enum pass_phase phase)
{
    stats_phase(context, STEP_ENCODER_FORWARD + (int)phase);
}

void train_step_gradients(const struct train_step *step, uint32_t number, double *sums)
{
    struct model *model = step->model;
    struct train_step listening = *step;
    struct gradient_listener listener = {on_ready, on_progress, &listening};
    struct phase_listener phases = {on_phase, step->stats};
    gradient_reducer_start(step->reducer);
    for (size_t done = 0; done < step->count;) {
        size_t left = step->count - done, most = (size_t)model->max_batch;
        bool last = left <= most;
        struct model_step part = {
            .batch = (int)(last ? left : most),
            .training = true,
            .sampling_probability = schedule_sampling_probability(step->hparams, number),
            .seed = step->seed,
            .step = number,
            .first_example = (uint32_t)(step->first + done),
        };
        struct model_gradient gradient = {
            .scale = 1.0f / (float)step->hparams->batch_size,
            .beta = schedule_beta(step->hparams, number),
            .write = done == 0 ? OP_REPLACE : OP_ADD,
            .listener = last ? &listener : NULL,
            .phases = &phases,
        };
        stats_phase(step->stats, STEP_DATA);
        step->fill(step->context, &part);
        stats_phase(step->stats, STEP_NOISE);
        model_draw_noise(model, &part);
        model_train(model, &part, &gradient, sums);
        done += (size_t)part.batch;
    }
    stats_phase(step->stats, STEP_REDUCTION);
    gradient_reducer_finish(step->reducer);
}
