/* Cascade training of libfann on the two spirals, timed: see tools/cascor_beside_fann.sh. */
#include <fann.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void point(unsigned int index, unsigned int inputs, unsigned int outputs, fann_type *x, fann_type *y) {
    double angle = (index / 2) * M_PI / 16.0, radius = 6.5 * (104 - index / 2) / 104.0;
    double sign = index % 2 ? -1.0 : 1.0;
    (void)inputs;
    (void)outputs;
    x[0] = sign * radius * sin(angle);
    x[1] = sign * radius * cos(angle);
    y[0] = index % 2 ? 1.0f : -1.0f;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

int main(int count, char **arguments) {
    int trials = count > 1 ? atoi(arguments[1]) : 10, solved = 0;
    unsigned int neurons = 0;
    double total = 0.0;
    for (int trial = 0; trial < trials; trial++) {
        struct fann_train_data *data = fann_create_train_from_callback(194, 2, 1, point);
        srand(trial);
        double begun = seconds();
        struct fann *network = fann_create_shortcut(2, 2, 1);
        fann_set_activation_function_output(network, FANN_SIGMOID_SYMMETRIC);
        fann_set_train_stop_function(network, FANN_STOPFUNC_BIT);
        /* Differences of outputs between -1 and 1 are halved before they are compared. */
        fann_set_bit_fail_limit(network, 0.4f);
        fann_cascadetrain_on_data(network, data, 60, 0, 0.0f);
        total += seconds() - begun;
        fann_reset_MSE(network);
        fann_test_data(network, data);
        solved += fann_get_bit_fail(network) == 0;
        neurons += fann_get_total_neurons(network) - 4;
        fann_destroy(network);
        fann_destroy_train(data);
    }
    printf("%d of %d solved; %.2f hidden units in the mean; %.2f ms a trial in the mean\n", solved, trials,
           (double)neurons / trials, total / trials * 1e3);
    return 0;
}
