pub(crate) async fn run(
    _: &crate::args::Global,
    _: crate::args::EnvArgs,
) -> Result<(), crate::failure::Failure> {
    Ok(())
}
