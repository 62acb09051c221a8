/* control.h: what If, Loop, Scan and SequenceMap share. control.c has it, and If. */
#ifndef ONRI_EXEC_CONTROL_H
#define ONRI_EXEC_CONTROL_H

#include "exec/frame.h"

/* Runs a body whose inputs are in body->inputs. Its results will be copied. */
enum onr_status onri_control_run_body(struct onri_frame *body, struct onr_error *error);
/* Copies a result of a body into the slot of output i of the node. */
enum onr_status onri_control_keep(struct onri_plan *plan, const struct onri_step *step, int32_t i,
                                  const struct onr_tensor *result, struct onr_error *error);
/* Input i of the node; zeroed when it is omitted. */
struct onr_tensor onri_control_input(const struct onri_plan *plan, const struct onri_step *step, int32_t i);
/* SHAPE unless it is one bool. */
enum onr_status onri_control_condition(const struct onr_tensor *condition, int *result, struct onr_error *error);
/* Only tensors are cut into slices and put together from them; the header of a sequence is none of its elements. */
enum onr_status onri_control_expect_elements(const struct onr_desc *desc, struct onr_error *error);
/* LIMIT. */
enum onr_status onri_control_too_many(const struct onri_run *run, struct onr_error *error);
/* One more iteration: CANCELLED, or LIMIT when none is left of this run. */
enum onr_status onri_control_spend(struct onri_run *run, struct onr_error *error);
/* Output of this iteration becomes an input of the next. It may be another input of this one, so it is copied aside,
 * unless it is this input. */
enum onr_status onri_control_carry(struct onri_frame *body, size_t output, size_t input, struct onr_error *error);
/* The axis of a scan output of this rank, counted from the first dimension; ATTRIBUTE when it is out of range. */
enum onr_status onri_control_output_axis(int32_t rank, int32_t *axis, struct onr_error *error);
/* A scan output of no iterations: nothing along `axis`; the rest is what a plan of the body for these inputs says, as
 * far as that can be told without running it. */
enum onr_status onri_control_empty(struct onri_plan *plan, int32_t v, struct onri_frame *body, size_t output,
                                   int32_t axis, struct onr_error *error);
/* --- one file each --- */
enum onr_status onri_control_loop(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                                  struct onr_error *error);
enum onr_status onri_control_scan(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                                  struct onr_error *error);
enum onr_status onri_control_map(struct onri_frame *frame, struct onri_plan *plan, struct onri_step *step,
                                 struct onr_error *error);

#endif
