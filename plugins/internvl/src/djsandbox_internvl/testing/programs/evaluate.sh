set -x

# Stand-in of InternVL's evaluate.sh for the data set caption-coco: like it, it takes the checkpoint relative to this folder,
# passes all further arguments on, and ends with 0 whatever has happened, because the last test is false.
CHECKPOINT="$(pwd)/${1}"
DATASET=${2}
export PYTHONPATH="$(pwd):${PYTHONPATH}"
echo "CHECKPOINT: ${CHECKPOINT}"

MASTER_PORT=${MASTER_PORT:-63669}
GPUS=${GPUS:-8}
export MASTER_PORT
ARGS=("$@")
echo "GPUS: ${GPUS}"

if [ ${DATASET} == "caption-coco" ]; then
  torchrun \
    --nnodes=1 \
    --node_rank=0 \
    --master_addr=127.0.0.1 \
    --nproc_per_node=${GPUS} \
    --master_port=${MASTER_PORT} \
    eval/caption/evaluate_caption.py --checkpoint ${CHECKPOINT} --datasets coco "${ARGS[@]:2}"
fi

if [ ${DATASET} == "mmbench" ]; then
  echo "the stand-in has no mmbench"
fi
