"""A model of token ids for tests: the prompt's ids, last first, one at a time."""
import numpy as np
import triton_python_backend_utils as pb


class TritonPythonModel:
    def execute(self, requests):
        for request in requests:
            sender = request.get_response_sender()
            ids = pb.get_input_tensor_by_name(request, "input_ids").as_numpy()[0]
            limit = int(pb.get_input_tensor_by_name(request, "request_output_len").as_numpy()[0][0])
            for token in ids[::-1][:limit]:
                output = np.array([[[token]]], dtype=np.int32)  # [batch, beam, token]
                sender.send(pb.InferenceResponse([pb.Tensor("output_ids", output)]))
            sender.send(flags=pb.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
        return None
