use kernel::{
    golden::{
        Depot,
        Parcel, //
    },
    prelude::*, //
};

fn deliver(depot: &Depot) -> Result<usize> {
    let parcel = Parcel::new(depot)?.send(7)?;
    Ok(parcel.arrive().days())
}
