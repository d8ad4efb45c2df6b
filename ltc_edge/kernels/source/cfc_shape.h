/* cfc_shape.h: sizes of a CfC, and where its quantities lie.
 *
 * A cell is a chain of linear maps: those of a backbone, then one for each layer of neurons, with all of its heads
 * below one another. A map reads columns [feed | state | 1], the last for its bias. What feeds the first are the
 * inputs, and each other one the results of the map before it. A layer of neurons reads its own state; with a
 * backbone there is one layer, and it is the backbone's first map that reads the state.
 */
#ifndef LTC_EDGE_CFC_SHAPE_H
#define LTC_EDGE_CFC_SHAPE_H

#include "ltc_edge_kernels.h"

/* Sizes are rounded up to these blocks, which are as large as registers allow: of a product's rows, and of the rows
 * and columns of a sum of outer products. */
enum { PRODUCT_ROWS = 6, SUM_ROWS = 3, SUM_COLUMNS = 4 };

/* Of linear maps; the Python beside it keeps to it. */
enum { MOST_MAPS = 32 };

typedef struct {
    int64_t feed, columns, rows; /* columns without that of the bias */
    int64_t units, first;        /* a layer of neurons: how many, and the first of them in the state */
    int64_t parameter;           /* index of the first weight */
    int64_t weights, transposed, sums; /* where its weights and their sums begin, in numbers */
    int64_t x, kept, gradients; /* where columns, results and gradients of rows begin, in neurons' worth of vectors */
} cfc_map;

typedef struct {
    int64_t inputs, units, outputs;
    int64_t backbone, maps;
    int64_t heads; /* rows a neuron */
    int64_t kept;  /* values that a neuron leaves to the backward pass */
    int64_t step;  /* a step's columns and results; the columns of the state after it lie in the next step's */
    int64_t gradients; /* a step's gradients of rows */
    int64_t rows, columns; /* of the largest map, rounded up */
    int64_t weights, transposed, sums; /* of all maps */
    cfc_map map[MOST_MAPS];
} cfc_shape;

static int64_t round_up(int64_t x, int64_t to)
{
    return (x + to - 1) / to * to;
}

/* Heads of a layer as parameters. */
static int64_t cfc_parameter_heads(const ltc_edge_cfc *cell)
{
    return cell->mode == LTC_EDGE_CFC_PURE ? 1 : 4;
}

/* Neurons' worth of sums for the time constants, of the pure mode. */
static int64_t cfc_constants(const ltc_edge_cfc *cell)
{
    return cell->mode == LTC_EDGE_CFC_PURE ? 2 * (int64_t)cell->units : 0;
}

static void place_map(cfc_shape *shape, int64_t kept)
{
    cfc_map *const own = &shape->map[shape->maps++];
    const int64_t columns = own->columns + 1, width = round_up(columns, SUM_COLUMNS);
    own->weights = shape->weights;
    own->transposed = shape->transposed;
    own->sums = shape->sums;
    own->x = shape->step;
    own->kept = own->x + width;
    own->gradients = shape->gradients;
    shape->weights += round_up(own->rows, PRODUCT_ROWS) * columns;
    shape->transposed += round_up(own->columns, PRODUCT_ROWS) * own->rows;
    shape->sums += round_up(own->rows, SUM_ROWS) * width;
    shape->step = own->kept + kept;
    shape->gradients += round_up(own->rows, SUM_ROWS);
    const int64_t rows = round_up(own->rows, PRODUCT_ROWS), across = round_up(own->columns, PRODUCT_ROWS);
    shape->rows = rows > shape->rows ? rows : shape->rows;
    shape->columns = across > shape->columns ? across : shape->columns;
}

/* The sizes; `timed` is whether elapsed times are given. Where they are not, time_a and time_b are one head. */
static cfc_shape shape_of(const ltc_edge_cfc *cell, int timed)
{
    cfc_shape shape = {.inputs = cell->inputs, .units = cell->units, .outputs = cell->outputs};
    const int pure = cell->mode == LTC_EDGE_CFC_PURE;
    shape.backbone = cell->backbone_layers;
    shape.heads = pure ? 1 : timed ? 4 : 3;
    shape.kept = pure ? 2 : shape.heads;
    int64_t parameter = 0, feed = cell->inputs, state = cell->units;
    for (int32_t layer = 0; layer < cell->backbone_layers; layer++) {
        shape.map[shape.maps] =
            (cfc_map){.feed = feed, .columns = feed + state, .rows = cell->backbone_units, .parameter = parameter};
        place_map(&shape, cell->backbone_units);
        parameter += 2;
        feed = cell->backbone_units;
        state = 0;
    }
    int64_t first = 0;
    for (int32_t layer = 0; layer < cell->layers; layer++) {
        const int64_t units = cell->layer_units[layer];
        shape.map[shape.maps] = (cfc_map){
            .feed = feed,
            .columns = feed + (cell->backbone_layers == 0 ? units : 0),
            .rows = shape.heads * units,
            .units = units,
            .first = first,
            .parameter = parameter,
        };
        place_map(&shape, shape.kept * units);
        parameter += 2 * cfc_parameter_heads(cell) + (pure ? 2 : 0);
        feed = units;
        first += units;
    }
    return shape;
}

/* The map that reads the state of the layer at `index`. */
static const cfc_map *reader_of(const cfc_shape *shape, int64_t index)
{
    return shape->backbone > 0 ? &shape->map[0] : &shape->map[index];
}

/* Where a layer's state stands among a step's columns, in neurons' worth of vectors. */
static int64_t home_of(const cfc_shape *shape, int64_t index)
{
    const cfc_map *const reader = reader_of(shape, index);
    return reader->x + reader->feed;
}

#endif
