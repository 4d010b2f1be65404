use std::time::Duration;

use super::*;

fn joined(people: &[(u32, &str)]) -> Rooms<u32> {
    let mut rooms = Rooms::default();
    for (device, name) in people {
        rooms.join(*device, name, "lobby").unwrap();
    }
    rooms
}

fn names(rooms: &Rooms<u32>) -> Vec<(String, u32)> {
    rooms
        .who("lobby")
        .into_iter()
        .map(|it| (it.name, it.devices))
        .collect()
}

/// What a device leaves behind: the rooms that it was in, and those that its person has left.
fn gone(name: &str, rooms: &[&str], left: &[&str]) -> Option<Gone> {
    let owned = |rooms: &[&str]| rooms.iter().map(|room| (*room).to_owned()).collect();
    Some(Gone {
        name: name.to_owned(),
        rooms: owned(rooms),
        left: owned(left),
    })
}

#[test]
fn the_last_fifty_lines_await_who_comes_later() {
    let mut rooms = joined(&[(1, "ann")]);
    let start = Instant::now();
    for n in 1..=60 {
        let now = start + Duration::from_secs(n);
        rooms
            .post(1, "lobby", &format!("line {n}"), None, now)
            .unwrap();
    }
    let view = rooms.join(2, "bob", "lobby").unwrap().view;
    assert_eq!(view.lines.len(), HISTORY);
    assert_eq!(view.lines[0].text, "line 11");
    assert_eq!(view.lines[49].id, 60);
    assert_eq!(view.people.len(), 2);
}

#[test]
fn one_name_on_two_devices_is_one_person() {
    let mut rooms = joined(&[(1, "ann")]);
    assert!(!rooms.join(2, "ann", "lobby").unwrap().new);
    assert_eq!(names(&rooms), [("ann".to_owned(), 2)]);
    assert!(!rooms.leave(1, "lobby"));
    assert_eq!(rooms.gone(2), gone("ann", &["lobby"], &["lobby"]));
    assert_eq!(names(&rooms), []);
}

#[test]
fn to_join_again_does_no_harm() {
    let mut rooms = joined(&[(1, "ann")]);
    assert!(!rooms.join(1, "ann", "lobby").unwrap().new);
    assert!(rooms.leave(1, "lobby"));
    assert!(!rooms.leave(1, "lobby"));
    assert!(rooms.join(1, "ann", "lobby").unwrap().new);
}

#[test]
fn who_is_gone_is_gone_from_all_rooms() {
    let mut rooms = joined(&[(1, "ann"), (2, "ann"), (3, "bob")]);
    rooms.join(1, "ann", "garden").unwrap();
    // She is still in the lobby, on the other device.
    let mut of_ann = rooms.gone(1);
    of_ann.iter_mut().for_each(|it| it.rooms.sort());
    assert_eq!(of_ann, gone("ann", &["garden", "lobby"], &["garden"]));
    assert_eq!(rooms.gone(1), None);
    assert_eq!(
        names(&rooms),
        [("ann".to_owned(), 1), ("bob".to_owned(), 1)]
    );
}

#[test]
fn a_line_that_may_not_be_said_is_not_kept() {
    let mut rooms = joined(&[(1, "ann")]);
    let now = Instant::now();
    let mut post = |device, room, text| rooms.post(device, room, text, None, now);
    assert_eq!(post(2, "lobby", "hi"), Err(PostError::NotJoined));
    assert_eq!(post(1, "garden", "hi"), Err(PostError::NotJoined));
    assert_eq!(post(1, "lobby", " \n"), Err(PostError::Empty));
    let long = "ü".repeat(501);
    assert_eq!(
        post(1, "lobby", &long),
        Err(PostError::TooLong { max: 500 })
    );
    assert_eq!(rooms.clear("lobby"), 0);
}

#[test]
fn a_flood_is_muted_and_harms_nobody_else() {
    let mut rooms = joined(&[(1, "ann"), (2, "bob")]);
    let now = Instant::now();
    let mut said = 0;
    let refused = loop {
        match rooms.post(1, "lobby", "la", None, now) {
            Ok(_) => said += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((said, refused), (30, PostError::Muted { seconds: 1 }));
    assert!(rooms.post(2, "lobby", "hush", None, now).is_ok());
}

#[test]
fn numbers_go_on_after_a_clear() {
    let mut rooms = joined(&[(1, "ann")]);
    let now = Instant::now();
    rooms.post(1, "lobby", "one", None, now).unwrap();
    assert_eq!(rooms.clear("lobby"), 1);
    let line = rooms.post(1, "lobby", "two", Some(1), now).unwrap();
    assert_eq!((line.id, line.reply_to), (2, Some(1)));
}

#[test]
fn rooms_are_bounded_and_empty_ones_make_place() {
    let mut rooms = Rooms::default();
    for n in 0..MAX_ROOMS as u32 {
        rooms.join(n, "ann", &format!("room-{n}")).unwrap();
    }
    assert_eq!(
        rooms.join(0, "ann", "one-more"),
        Err(JoinError::TooManyRooms)
    );
    rooms.gone(7);
    assert!(rooms.join(0, "ann", "one-more").is_ok());
    assert_eq!(rooms.join(0, "ann", "no good"), Err(JoinError::BadName));
}

#[test]
fn a_device_is_in_few_rooms() {
    let mut rooms = Rooms::default();
    for n in 0..MAX_JOINED {
        rooms.join(1, "ann", &format!("room-{n}")).unwrap();
    }
    assert!(rooms.join(1, "ann", "room-0").is_ok());
    assert_eq!(
        rooms.join(1, "ann", "lobby"),
        Err(JoinError::TooManyJoined { max: 10 })
    );
}
