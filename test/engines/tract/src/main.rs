//! Runs one file on raw float32 inputs: engine-tract MODEL OUT.bin (IN.bin,2,3,4)…
use std::{env, fs};
use tract_onnx::prelude::*;

fn floats(path: &str) -> TractResult<Vec<f32>> {
    let bytes = fs::read(path)?;
    Ok(bytes.chunks(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}

fn main() -> TractResult<()> {
    let args: Vec<String> = env::args().collect();
    // The batch stays the symbol N that the file has: a run takes it from the inputs.
    let model = tract_onnx::onnx().model_for_path(&args[1])?;
    let mut inputs = tvec!();
    for input in &args[3..] {
        let (path, sizes) = input.split_once(',').unwrap();
        let shape: Vec<usize> = sizes.split(',').map(|d| d.parse().unwrap()).collect();
        inputs.push(Tensor::from_shape(&shape, &floats(path)?)?.into());
    }
    let outputs = model.into_optimized()?.into_runnable()?.run(inputs)?;
    let mut bytes = Vec::new();
    for output in outputs.iter() {
        let output = output.cast_to::<f32>()?;
        bytes.extend(output.as_slice::<f32>()?.iter().flat_map(|x| x.to_le_bytes()));
    }
    fs::write(&args[2], bytes)?;
    Ok(())
}
