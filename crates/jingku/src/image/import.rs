//! `jingku image import`.

use std::io::PipeReader;
use std::time::Duration;

use compshare::actions::ImportCompShareCustomImageRequest;
use compshare::{Error, RetCode, Upload};
use futures::future::OptionFuture;
use indicatif::ProgressBar;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::follow::{self, already_present, bar};
use super::input::{Input, empty, refused};
use super::look;
use super::producer::Producer;
use super::source::{Piece, Source};
use crate::args::ImportArgs;
use crate::connection::Connection;
use crate::errors::caution;
use crate::failure::{Exit, Failure};
use crate::messages::tr;
use crate::output::warn;
use crate::stop::Stop;

/// How long it may take to learn what the server has of an upload that broke off.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it may take to withdraw an upload, or to get to know it first.
const WITHDRAW_TIMEOUT: Duration = Duration::from_secs(10);

/// How often the server hears of an upload of which no byte was sent yet: it ends one that is silent for ten minutes.
const RENEW_AFTER: Duration = Duration::from_mins(3);

/// Why an upload was not finished, and what happens to it.
enum UploadError {
    /// The server keeps the data for a while: the same command can resume.
    Interrupted(Failure),
    /// It cannot become an image: it is withdrawn.
    Failed(Failure),
    /// It belongs to another client or file, or no longer exists.
    Foreign(Failure),
}

struct Import<'a> {
    connection: &'a Connection<'a>,
    args: ImportArgs,
    producer: Option<Producer>,
    stop: Stop,
}

/// An upload. `ours` is whether this command may withdraw it: it started it or sent data.
struct Sending {
    upload: Upload,
    ours: bool,
    bar: ProgressBar,
}

pub(super) async fn run(connection: &Connection<'_>, args: ImportArgs) -> Result<(), Failure> {
    let stop = Stop::listen()?;
    let (producer, output) = match args.command.as_slice() {
        [] => (None, None),
        words => Some(Producer::spawn(words)?).unzip(),
    };
    let mut import = Import { connection, args, producer, stop };
    let imported = import.run(output).await;
    if let Some(producer) = import.producer {
        producer.stop().await;
    }
    let image_id = imported?;
    tokio::select! {
        followed = follow::begun(connection, &image_id, import.args.wait) => followed,
        () = import.stop.terminated() => Err(Failure::new(Exit::Terminated, tr!("import-stopped-waiting"))),
    }
}

impl Import<'_> {
    /// Uploads the input. Returns the id of its image.
    async fn run(&mut self, output: Option<PipeReader>) -> Result<String, Failure> {
        let input = self.open(output).await?;
        refuse_what_may_be_a_part(&input, &self.args)?;
        // With --wait, the server's warnings are shown at the end.
        if let Some(odd) = look::at_input(&input, self.args.format)?.filter(|_| !self.args.wait) {
            warn(&caution(&odd));
        }
        let mut sending = self.start(&input).await?;
        match self.send(&mut sending, input).await {
            Ok(()) => Ok(sending.upload.image_id().to_owned()),
            Err(error) => tokio::select! {
                failure = clean_up(self.connection, sending, error) => Err(failure),
                // A second signal stops the cleanup.
                exit = self.stop.asked() => Err(stopped(exit)),
            },
        }
    }

    /// Opens the input and waits for its first bytes, so that an empty input starts no upload.
    async fn open(&mut self, output: Option<PipeReader>) -> Result<Input, Failure> {
        let (file, format) = (self.args.file.clone().unwrap_or_default(), self.args.format);
        let name = self.producer.as_ref().map(|producer| producer.name.clone());
        let opening = on_a_thread(move || match (output, name) {
            (Some(output), Some(name)) => Input::of_command(&name, output),
            _ => Input::open(&file, format),
        });
        let opened = tokio::select! {
            // First: Ctrl-C on a terminal also ends the producer.
            biased;
            exit = self.stop.asked() => return Err(stopped(exit)),
            Some(failure) = OptionFuture::from(self.producer.as_mut().map(Producer::failed)) => return Err(failure),
            opened = opening => opened,
        };
        if let (Err(_), Some(producer)) = (&opened, &mut self.producer) {
            // Why the producer failed matters more than that it wrote nothing.
            producer.ended().await?;
        }
        opened
    }

    /// Starts the upload. On a signal, withdraws what it may have started.
    async fn start(&mut self, input: &Input) -> Result<Sending, Failure> {
        let (args, size) = (&self.args, input.size.or(self.args.size));
        let as_i64 = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let request = ImportCompShareCustomImageRequest {
            format: args.format.map(look::on_the_wire),
            name: args.name.clone().into(),
            description: args.description.clone().map(Into::into),
            size_bytes: size.map(as_i64).map(Into::into),
            data_bytes: input.data.map(as_i64).map(Into::into),
            ..ImportCompShareCustomImageRequest::default()
        };
        let mut starting = std::pin::pin!(self.connection.client.start_import(&request));
        let upload = tokio::select! {
            started = &mut starting => started?,
            exit = self.stop.asked() => {
                if let Ok(Ok(upload)) = timeout(WITHDRAW_TIMEOUT, starting).await && !upload.is_resumed() {
                    // If this fails, the server expires the upload.
                    let _ = timeout(WITHDRAW_TIMEOUT, upload.withdraw()).await;
                }
                return Err(stopped(exit));
            }
        };
        Ok(Sending { ours: !upload.is_resumed(), upload, bar: bar(size.unwrap_or(0)) })
    }

    /// Sends the input, and finishes the upload once it is complete and consistent.
    async fn send(&mut self, sending: &mut Sending, input: Input) -> Result<(), UploadError> {
        let source = tokio::select! {
            biased;
            exit = self.stop.asked() => return Err(UploadError::Interrupted(stopped(exit))),
            Some(failure) = OptionFuture::from(self.producer.as_mut().map(Producer::failed)) => return Err(UploadError::Failed(failure)),
            sent = sending.send_pieces(input, &self.args) => sent?,
        };
        if let Some(producer) = &mut self.producer {
            producer.ended().await.map_err(UploadError::Failed)?;
        }
        check(&source, &self.args).map_err(UploadError::Failed)?;
        let hash = source.hash();
        tokio::select! {
            finished = sending.upload.finish(&hash) => finished?,
            exit = self.stop.asked() => return Err(UploadError::Interrupted(stopped(exit))),
        }
        sending.bar.finish_and_clear();
        Ok(())
    }
}

impl Sending {
    async fn send_pieces(&mut self, input: Input, args: &ImportArgs) -> Result<Source, UploadError> {
        self.upload.look().await?;
        let (name, size) = (input.name.clone(), input.size.or(args.size));
        let source = Source::start(input, self.upload.hash_kind(), args.blake3.is_some());
        let source = self.resume(source).await?;
        let Self { upload, ours, bar } = self;
        *ours |= upload.received() > 0;
        let (sender, mut pieces) = mpsc::channel(1);
        let reading = on_a_thread(move || read(source, &sender));
        while let Some(piece) = next_piece(&mut pieces, upload).await? {
            let length = match &piece {
                Piece::Data(bytes) => bytes.len() as u64,
                Piece::Zeros(count) => *count,
            };
            if let Some(size) = size.filter(|size| upload.received() + length > *size) {
                return Err(UploadError::Failed(refused(tr!("import-too-long", name, expected = size))));
            }
            let (showing, known) = (bar.clone(), size.is_some());
            let show = move |sent| {
                if !known {
                    showing.set_length(sent);
                }
                showing.set_position(sent);
            };
            match piece {
                Piece::Data(bytes) => upload.send(bytes, show).await?,
                Piece::Zeros(count) => {
                    upload.send_zeros(count).await?;
                    show(upload.received());
                }
            }
            *ours = true;
        }
        reading.await.map_err(UploadError::Failed)
    }

    /// Skips what the server already has, which must be the start of the input.
    async fn resume(&self, mut source: Source) -> Result<Source, UploadError> {
        let (present, hash) = (self.upload.received(), self.upload.received_hash().to_owned());
        if present == 0 {
            return Ok(source);
        }
        let (shown, name) = (self.bar.clone(), source.input.name.clone());
        let skipping = on_a_thread(move || {
            let same = source.skip(present, &hash, |at| shown.set_position(at))?;
            Ok((source, same))
        });
        let (source, same) = skipping.await.map_err(UploadError::Foreign)?;
        if !same {
            let message = tr!("import-other-file", name, id = self.upload.image_id());
            return Err(UploadError::Foreign(refused(message)));
        }
        self.bar.reset_eta();
        self.bar.set_message(already_present(present));
        Ok(source)
    }
}

/// Refuses an input whose truncation would go unnoticed, and a file that does not have the stated size.
fn refuse_what_may_be_a_part(input: &Input, args: &ImportArgs) -> Result<(), Failure> {
    if let (Some(stated), Some(size)) = (args.size, input.size)
        && stated != size
    {
        return Err(refused(tr!("import-wrong-size", name = input.name, read = size, expected = stated)));
    }
    if input.ends_itself || args.size.is_some() || args.blake3.is_some() {
        return Ok(());
    }
    Err(Failure::new(Exit::Usage, tr!("import-unbounded", name = input.name, image = args.name)))
}

/// Waits for a piece. The producer may be slow: until the first piece, the upload is renewed from time to time.
async fn next_piece(pieces: &mut mpsc::Receiver<Piece>, upload: &mut Upload) -> Result<Option<Piece>, Error> {
    loop {
        match timeout(RENEW_AFTER, pieces.recv()).await {
            Ok(piece) => return Ok(piece),
            Err(_) if upload.received() == 0 => upload.renew().await?,
            Err(_) => {}
        }
    }
}

/// Refuses an input that changed or is not what was stated.
fn check(source: &Source, args: &ImportArgs) -> Result<(), Failure> {
    let (input, read) = (&source.input, source.at);
    if read == 0 {
        return Err(empty(&input.name));
    }
    input.unchanged()?;
    if let Some(size) = input.size.or(args.size).filter(|size| *size != read) {
        return Err(refused(tr!("import-wrong-size", name = input.name, read, expected = size)));
    }
    if args.blake3.is_some() && args.blake3 != source.stated_hash() {
        return Err(refused(tr!("import-wrong-hash", name = input.name)));
    }
    Ok(())
}

/// Withdraws an upload that cannot be finished, or says how to resume it.
async fn clean_up(connection: &Connection<'_>, mut sending: Sending, error: UploadError) -> Failure {
    let (failure, resumable) = match error {
        UploadError::Interrupted(failure) => (failure, true),
        UploadError::Failed(failure) => (failure, false),
        UploadError::Foreign(failure) => return failure,
    };
    if !sending.ours {
        return failure;
    }
    if resumable {
        // The server may have stored the last request although its answer was lost.
        let _ = timeout(LOOK_TIMEOUT, sending.upload.look()).await;
    }
    let image_id = sending.upload.image_id().to_owned();
    let delete = connection.command(&["image", "delete", &image_id]);
    if resumable && sending.upload.received() > 0 {
        return failure.advise(&tr!("import-resumable", command = delete));
    }
    match timeout(WITHDRAW_TIMEOUT, sending.upload.withdraw()).await {
        Ok(Ok(())) => failure,
        _ => failure.advise(&tr!("import-left-over", command = delete)),
    }
}

/// Runs blocking work on a thread that does not keep the process alive: standard input may block for ever.
fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> impl Future<Output = Result<T, Failure>> {
    let (done, result) = oneshot::channel();
    std::thread::spawn(move || done.send(work()));
    async { result.await.unwrap_or_else(|error| Err(Failure::fault(error))) }
}

/// Reads to the end, one piece ahead of the network.
fn read(mut source: Source, sender: &mpsc::Sender<Piece>) -> Result<Source, Failure> {
    while let Some(piece) = source.next()? {
        if sender.blocking_send(piece).is_err() {
            break;
        }
    }
    Ok(source)
}

impl From<Error> for UploadError {
    fn from(error: Error) -> Self {
        let gone = matches!(error, Error::ImageGone { .. });
        // The bytes are not what the server expects.
        let wrong = error.ret_code() == Some(RetCode::ParamNotAvailable.code());
        match Failure::from(error) {
            failure if gone => Self::Foreign(failure),
            failure if wrong => Self::Failed(failure),
            failure => Self::Interrupted(failure),
        }
    }
}

fn stopped(exit: Exit) -> Failure {
    Failure::new(exit, tr!("import-stopped"))
}
