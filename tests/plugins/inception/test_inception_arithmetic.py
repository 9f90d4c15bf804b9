"""The metrics' arithmetic, held against values that are known by themselves, or computed in another way."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.linalg
from djsandbox_inception.worker.frechet import frechet_distance, gaussian
from djsandbox_inception.worker.inception_score import inception_score, split_scores
from djsandbox_inception.worker.kernel import kernel_distance, polynomial_mmd
from djsandbox_inception.worker.neighbours import precision_recall


def cross(dimensions: int, centre: float = 0.0, spread: float = 1.0) -> np.ndarray:
    """Points whose mean is exactly `centre` in each dimension, and whose covariance is `spread`^2 times the identity."""
    arms = np.vstack([np.eye(dimensions), -np.eye(dimensions)])
    return arms * spread * np.sqrt(dimensions) + centre


def test_mean_and_covariance_are_those_of_the_population() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 4))
    mean, covariance = gaussian(rows)
    np.testing.assert_allclose(mean, rows.mean(axis=0))
    np.testing.assert_allclose(covariance, np.cov(rows.T, bias=True))


def test_a_weight_counts_as_so_many_rows() -> None:
    rows = np.random.default_rng(0).normal(size=(3, 2))
    weighted, repeated = gaussian(rows, np.array([1, 2, 3])), gaussian(rows[[0, 1, 1, 2, 2, 2]])
    for one, other in zip(weighted, repeated, strict=True):
        np.testing.assert_allclose(one, other)


@pytest.mark.parametrize(("centre", "spread"), [(0, 1), (3, 1), (0, 2), (-2, 0.5), (1, 0)])
def test_the_frechet_distance_of_round_gaussians_is_the_one_of_the_textbook(centre: float, spread: float) -> None:
    dimensions = 5
    distance = frechet_distance(gaussian(cross(dimensions)), gaussian(cross(dimensions, centre, spread)))
    assert distance == pytest.approx(dimensions * centre**2 + dimensions * (1 - spread) ** 2, abs=1e-9)


def test_the_frechet_distance_of_gaussians_along_the_axes_adds_up_axis_by_axis() -> None:
    first = np.array([1.0, 2.0]), np.diag([4.0, 9.0])
    second = np.array([4.0, 6.0]), np.diag([1.0, 25.0])
    assert frechet_distance(first, second) == pytest.approx(3**2 + 4**2 + (2 - 1) ** 2 + (3 - 5) ** 2)


def test_the_frechet_distance_agrees_with_the_root_of_the_product_where_covariances_do_not_commute() -> None:
    random = np.random.default_rng(1)
    one, other = random.normal(size=(300, 6)) @ random.normal(size=(6, 6)), random.normal(size=(200, 6)) + 1
    (m1, c1), (m2, c2) = gaussian(one), gaussian(other)
    expected = np.square(m1 - m2).sum() + np.trace(c1 + c2 - 2 * scipy.linalg.sqrtm(c1 @ c2).real)
    assert frechet_distance((m1, c1), (m2, c2)) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance((m2, c2), (m1, c1)) == pytest.approx(expected, rel=1e-9)


def test_identical_sets_are_at_a_frechet_distance_of_0_also_where_there_are_fewer_rows_than_dimensions() -> None:
    for shape in ((200, 8), (5, 64)):
        rows = np.random.default_rng(2).normal(size=shape) * 10
        assert frechet_distance(gaussian(rows), gaussian(rows[::-1])) == pytest.approx(0, abs=1e-5)


def test_the_frechet_distance_of_single_points_is_the_square_of_the_euclidean_one() -> None:
    assert frechet_distance(gaussian(np.zeros((3, 2))), gaussian(np.tile([3.0, 4.0], (3, 1)))) == pytest.approx(25)


def test_the_squared_mmd_of_two_pairs_of_points_is_the_one_by_hand() -> None:
    # k(0, 0) = 1, k(1, 1) = (1 + 1)^3, k(0, 1) = 1
    assert polynomial_mmd(np.zeros((2, 1)), np.ones((2, 1))) == pytest.approx(1 + 8 - 2)


def test_the_squared_mmd_is_the_mean_over_pairs_of_different_rows() -> None:
    random = np.random.default_rng(3)
    x, y = random.normal(size=(7, 3)), random.normal(size=(5, 3)) + 1

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / 3 + 1) ** 3)

    def within(rows: np.ndarray) -> float:
        pairs = [(i, j) for i, j in product(range(len(rows)), repeat=2) if i != j]
        return sum(k(rows[i], rows[j]) for i, j in pairs) / len(pairs)

    between = sum(k(a, b) for a in x for b in y) / (len(x) * len(y))
    assert polynomial_mmd(x, y) == pytest.approx(within(x) + within(y) - 2 * between)


def test_the_mean_over_many_small_subsets_is_the_squared_mmd_of_all_so_subsets_bring_no_bias() -> None:
    random = np.random.default_rng(4)
    real, fake = random.normal(size=(60, 4)), random.normal(size=(40, 4)) + 0.5
    found = kernel_distance(real, fake, 4000, 5, np.random.default_rng(0))
    assert found == pytest.approx(polynomial_mmd(real, fake), rel=0.05)


def test_the_squared_mmd_of_a_set_and_itself_is_not_above_0_and_of_two_of_one_distribution_around_0() -> None:
    random = np.random.default_rng(9)
    rows = random.normal(size=(50, 4))
    assert polynomial_mmd(rows, rows) < 0
    found = [polynomial_mmd(random.normal(size=(20, 4)), random.normal(size=(20, 4))) for _ in range(1000)]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(1000)


def test_the_kernel_distance_does_not_need_as_many_rows_as_a_subset_should_have() -> None:
    random = np.random.default_rng(5)
    real, fake = random.normal(size=(10, 2)), random.normal(size=(10, 2))
    assert kernel_distance(real, fake, 100, 1000, random) == pytest.approx(polynomial_mmd(real, fake))
    assert np.isfinite(kernel_distance(real, fake[:4], 3, 1000, random))


def test_predictions_that_are_all_the_same_have_a_score_of_1() -> None:
    assert inception_score(np.full((10, 7), 1 / 7)) == pytest.approx(1)
    assert inception_score(np.tile([1.0, 0.0, 0.0], (4, 1))) == pytest.approx(1)


@pytest.mark.parametrize("classes", [2, 10, 101])
def test_certain_predictions_of_all_classes_alike_have_as_score_the_number_of_classes(classes: int) -> None:
    assert inception_score(np.tile(np.eye(classes), (3, 1))) == pytest.approx(classes)


def test_a_score_in_between_is_the_one_by_hand() -> None:
    # two classes, each prediction 3/4 sure: the mean divergence is ln 2 minus the entropy of (3/4, 1/4)
    rows = np.array([[0.75, 0.25], [0.25, 0.75]])
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert inception_score(rows) == pytest.approx(2 / np.exp(entropy))


def test_the_parts_of_a_score_are_taken_in_the_order_of_the_rows_and_none_is_left_out() -> None:
    rows = np.vstack([np.tile([1.0, 0.0], (4, 1)), np.eye(2), np.eye(2)])
    assert split_scores(rows, 2) == pytest.approx((1.5, 0.5))
    mean, _ = split_scores(np.tile(np.eye(3), (3, 1))[:8], 3)
    assert mean == pytest.approx((inception_score(np.eye(3)[:2]) + inception_score(np.eye(3)) * 2) / 3)


def test_precision_and_recall_of_points_on_a_line_are_those_by_hand() -> None:
    real = np.array([[0.0], [1.0], [2.0], [3.0]])  # spheres of radius 1: from -1 to 4
    fake = np.array([[0.5], [10.0]])  # spheres of radius 9.5: from -9 to 19.5
    assert precision_recall(real, fake, nearest=1) == (0.5, 1.0)
    assert precision_recall(fake, real, nearest=1) == (1.0, 0.5)


def test_the_nearest_but_n_is_counted_without_the_point_itself() -> None:
    real = np.array([[0.0], [1.0], [10.0], [11.0]])
    assert precision_recall(real, np.array([[5.0], [5.2], [5.4]]), nearest=1)[0] == 0
    assert precision_recall(real, np.array([[5.0], [5.2], [5.4]]), nearest=2)[0] == 1


def test_a_set_covers_itself_also_where_it_is_one_point_many_times_or_far_from_the_origin() -> None:
    random = np.random.default_rng(6)
    for rows in (random.normal(size=(50, 8)), np.tile(random.normal(size=(1, 8)), (9, 1)), random.normal(size=(50, 8)) + 1e5):
        assert precision_recall(rows, rows[::-1], nearest=3) == (1.0, 1.0)


def test_sets_far_apart_cover_nothing_of_each_other() -> None:
    random = np.random.default_rng(7)
    assert precision_recall(random.normal(size=(40, 3)), random.normal(size=(30, 3)) + 100, nearest=3) == (0.0, 0.0)


@pytest.mark.parametrize("at_once", [1 << 25, 100])
def test_precision_and_recall_are_those_counted_pair_by_pair_whole_or_in_parts(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    random = np.random.default_rng(8)
    real, fake = random.normal(size=(60, 3)), random.normal(size=(45, 3)) + 1

    def share(points: np.ndarray, manifold: np.ndarray) -> float:
        radii = [sorted(np.linalg.norm(manifold - centre, axis=1))[3] for centre in manifold]  # the first is itself
        inside = [
            any(np.linalg.norm(point - centre) <= radius for centre, radius in zip(manifold, radii, strict=True))
            for point in points
        ]
        return sum(inside) / len(inside)

    monkeypatch.setattr("djsandbox_inception.worker.neighbours._NUMBERS_AT_ONCE", at_once)
    found = precision_recall(real, fake, nearest=3)
    assert found == pytest.approx((share(fake, real), share(real, fake)))
    assert 0 < found[0] < 1 and 0 < found[1] < 1
