//! Who is told how: by which steps, and when each of them is due. Pure.
use chrono::{DateTime, TimeDelta, Utc};

use crate::{notices::rules::Category, quiet::Hours};

/// Declares an open word with its stable name.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
            utoipa::ToSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$each])* $variant),+ }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The one of this name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words! {
    /// A way to a person, or around one.
    Channel {
        /// A signed call to somebody else's server.
        Webhook "webhook",
        /// 微信
        Wechat "wechat",
        /// 短信
        Sms "sms",
        /// 村广播: a script that somebody reads out
        Loudspeaker "loudspeaker",
        /// 上门: the list of the grid worker
        Door "door",
    }
}

words! {
    /// How near something is to the person.
    Level {
        /// Something must be done: 需您办
        Act "act",
        /// The own thing moved: 您的事有进展
        Moved "moved",
        /// 村里的消息
        News "news",
    }
}

words! {
    /// How it presses.
    Urgency {
        /// It can wait for the morning, and gives way when there was enough.
        Normal "normal",
        /// It can wait for the morning.
        Important "important",
        /// It waits for nothing.
        Emergency "emergency",
    }
}

words! {
    /// What people choose to hear of.
    Topic {
        /// 我的留言
        Own "own",
        /// 我关注的事项
        Followed "followed",
        /// 表决
        Votes "votes",
        /// 会议
        Meetings "meetings",
        /// 督办任务
        Tasks "tasks",
        /// 公示公告
        Notices "notices",
        /// 公示公告：财务
        NoticesFinance "notices_finance",
        /// 公示公告：工程
        NoticesWorks "notices_works",
        /// 公示公告：土地
        NoticesLand "notices_land",
        /// 公示公告：福利
        NoticesWelfare "notices_welfare",
        /// 公示公告：活动
        NoticesActivities "notices_activities",
    }
}

impl Topic {
    /// The topic of a notice about this.
    #[must_use]
    pub fn of(category: Category) -> Self {
        match category {
            Category::Finance => Self::NoticesFinance,
            Category::Works => Self::NoticesWorks,
            Category::Land => Self::NoticesLand,
            Category::Welfare => Self::NoticesWelfare,
            Category::Activities => Self::NoticesActivities,
            Category::Other => Self::Notices,
        }
    }

    /// Whose choice holds where this one has none.
    #[must_use]
    pub fn above(self) -> Self {
        match self {
            Self::Own | Self::Followed | Self::Votes | Self::Meetings | Self::Tasks => self,
            Self::Notices
            | Self::NoticesFinance
            | Self::NoticesWorks
            | Self::NoticesLand
            | Self::NoticesWelfare
            | Self::NoticesActivities => Self::Notices,
        }
    }
}

words! {
    /// How somebody wants to hear of a topic.
    Mode {
        /// As it happens.
        AtOnce "at_once",
        /// In the evening, the newest state of each matter only.
        Digest "digest",
        /// In the app only.
        Off "off",
    }
}

words! {
    /// The steps that something takes until everybody is reached.
    Ladder {
        /// Danger: every way, within half an hour, by day and by night.
        Emergency "emergency",
        /// Somebody may come to harm, and who is at work must act: messages, by day and by night.
        Pressing "pressing",
        /// What the village must know: every way, to the door.
        Village "village",
        /// Somebody is called to come, or not to: messages, and the door.
        Meeting "meeting",
        /// A date comes near: messages only.
        Reminder "reminder",
        /// One's own thing: messages only.
        Personal "personal",
        /// Messages to who wants them.
        News "news",
    }
}

/// How long a step waits for the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// By the clock.
    Clock(TimeDelta),
    /// Counted only while people are awake.
    Awake(TimeDelta),
}

/// In the app it is there at once; who has not received it by then is told by other ways.
pub const IN_APP: TimeDelta = TimeDelta::seconds(15);

impl Ladder {
    /// The steps after the app, in order.
    #[must_use]
    pub fn steps(self) -> Vec<(Channel, Wait)> {
        use Channel::{Door, Loudspeaker, Sms, Wechat};
        let first = (Wechat, Wait::Clock(IN_APP));
        match self {
            Self::Emergency => vec![
                first,
                (Sms, Wait::Clock(TimeDelta::minutes(2))),
                (Loudspeaker, Wait::Clock(TimeDelta::minutes(10))),
                (Door, Wait::Clock(TimeDelta::minutes(30))),
            ],
            Self::Pressing => vec![first, (Sms, Wait::Clock(TimeDelta::minutes(2)))],
            Self::Village => vec![
                first,
                (Sms, Wait::Awake(TimeDelta::hours(4))),
                (Loudspeaker, Wait::Awake(TimeDelta::hours(12))),
                (Door, Wait::Awake(TimeDelta::hours(24))),
            ],
            Self::Meeting => {
                vec![first, (Sms, Wait::Awake(TimeDelta::hours(2))), (Door, Wait::Awake(TimeDelta::hours(6)))]
            }
            Self::Reminder => vec![first, (Sms, Wait::Awake(TimeDelta::hours(2)))],
            Self::Personal | Self::News => vec![first, (Sms, Wait::Awake(TimeDelta::hours(8)))],
        }
    }

    /// When each step is due for something that happened then.
    #[must_use]
    pub fn dues(self, from: DateTime<Utc>, hours: Hours) -> Vec<(Channel, DateTime<Utc>)> {
        let due = |wait| match wait {
            Wait::Clock(time) => from + time,
            Wait::Awake(time) => hours.after_awake(from, time),
        };
        self.steps().into_iter().map(|(channel, wait)| (channel, due(wait))).collect()
    }
}

/// What planning knows of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// A phone is signed in.
    pub has_app: bool,
    /// There is a number to write to.
    pub has_phone: bool,
    /// An address at WeChat may be written to once more.
    pub has_wechat: bool,
    /// Wants WeChat.
    pub wants_wechat: bool,
    /// Wants SMS.
    pub wants_sms: bool,
    /// Has agreed to be told by SMS of what one need not be told.
    pub sms_news: bool,
    /// How the topic is wanted.
    pub mode: Mode,
}

impl Facts {
    /// Somebody of whom nothing is known but a number: nothing was chosen, so nothing is refused.
    #[must_use]
    pub fn of_nobody(has_phone: bool) -> Self {
        Self {
            has_app: false,
            has_phone,
            has_wechat: false,
            wants_wechat: true,
            wants_sms: true,
            sms_news: false,
            mode: Mode::AtOnce,
        }
    }
}

/// By which channel this person is told at this step, if at any. Who has no app need not wait for the step of the SMS:
/// nothing before it could have come. What must be known is not switched off by topic, only by channel; danger is not
/// switched off at all.
#[must_use]
pub fn choose(step: Channel, (level, urgency): (Level, Urgency), person: &Facts) -> Option<Channel> {
    let is_danger = urgency == Urgency::Emergency;
    if level != Level::Act && !is_danger && person.mode == Mode::Off {
        return None;
    }
    let sms = person.has_phone && (is_danger || (person.wants_sms && (level == Level::Act || person.sms_news)));
    let wechat = person.has_wechat && (person.wants_wechat || is_danger);
    match step {
        Channel::Wechat if wechat => Some(Channel::Wechat),
        Channel::Wechat if !person.has_app && sms => Some(Channel::Sms),
        Channel::Sms if sms => Some(Channel::Sms),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
    }

    #[test]
    fn a_must_read_notice_reaches_the_door_after_two_waking_days() {
        let dues = Ladder::Village.dues(at("2026-11-02T09:00:00+08:00"), Hours::DEFAULT);
        let shown: Vec<_> = dues.iter().map(|(channel, at)| (channel.as_str(), crate::clock::local(*at))).collect();
        let text: Vec<_> = shown.iter().map(|(name, at)| format!("{name} {}", at.format("%d %H:%M:%S"))).collect();
        assert_eq!(text, ["wechat 02 09:00:15", "sms 02 13:00:00", "loudspeaker 02 21:00:00", "door 03 18:30:00"]);
        let late = Ladder::Village.dues(at("2026-11-02T20:00:00+08:00"), Hours::DEFAULT);
        assert_eq!(late[1].1, at("2026-11-03T09:30:00+08:00"), "the night is not waited");
    }

    #[test]
    fn danger_takes_half_an_hour_by_night_too() {
        let dues = Ladder::Emergency.dues(at("2026-11-02T02:00:00+08:00"), Hours::DEFAULT);
        assert_eq!(dues.last(), Some(&(Channel::Door, at("2026-11-02T02:30:00+08:00"))));
    }

    #[test]
    fn each_gets_the_first_channel_that_can_reach_them() {
        let act = (Level::Act, Urgency::Important);
        let app = Facts { has_app: true, ..Facts::of_nobody(true) };
        assert_eq!(choose(Channel::Wechat, act, &app), None, "the app may still reach them");
        assert_eq!(choose(Channel::Sms, act, &app), Some(Channel::Sms));
        assert_eq!(choose(Channel::Wechat, act, &Facts::of_nobody(true)), Some(Channel::Sms), "nothing else could");
        assert_eq!(choose(Channel::Sms, act, &Facts::of_nobody(false)), None, "goes on the door list");
        let wechat = Facts { has_wechat: true, ..app };
        assert_eq!(choose(Channel::Wechat, act, &wechat), Some(Channel::Wechat));
        assert_eq!(choose(Channel::Wechat, act, &Facts { wants_wechat: false, ..wechat }), None);
    }

    #[test]
    fn news_by_sms_needs_consent_and_a_topic_can_be_switched_off_but_not_a_duty() {
        let plain = Facts::of_nobody(true);
        for level in [Level::News, Level::Moved] {
            assert_eq!(choose(Channel::Sms, (level, Urgency::Normal), &plain), None);
            let agreed = Facts { sms_news: true, ..plain };
            assert_eq!(choose(Channel::Sms, (level, Urgency::Normal), &agreed), Some(Channel::Sms));
            assert_eq!(choose(Channel::Sms, (level, Urgency::Normal), &Facts { mode: Mode::Off, ..agreed }), None);
        }
        let off = Facts { mode: Mode::Off, ..plain };
        assert_eq!(choose(Channel::Sms, (Level::Act, Urgency::Important), &off), Some(Channel::Sms));
        let silent = Facts { wants_sms: false, ..plain };
        assert_eq!(choose(Channel::Sms, (Level::Act, Urgency::Important), &silent), None);
        assert_eq!(choose(Channel::Sms, (Level::News, Urgency::Emergency), &silent), Some(Channel::Sms));
    }
}
